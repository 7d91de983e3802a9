package records

import (
	"runtime"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
)

var (
	stateForm       = pen.Of[*master.Response_GetState]()
	stateTasks      = stateForm.Field("get_tasks")
	stateExecutors  = stateForm.Field("get_executors")
	stateFrameworks = stateForm.Field("get_frameworks")
	stateAgents     = stateForm.Field("get_agents")

	tasksForm        = pen.Of[*master.Response_GetTasks]()
	tasksLive        = tasksForm.Field("tasks")
	tasksUnreachable = tasksForm.Field("unreachable_tasks")
	tasksCompleted   = tasksForm.Field("completed_tasks")

	executorsAll = pen.Of[*master.Response_GetExecutors]().Field("executors")

	frameworksForm      = pen.Of[*master.Response_GetFrameworks]()
	frameworksLive      = frameworksForm.Field("frameworks")
	frameworksCompleted = frameworksForm.Field("completed_frameworks")

	agentsForm      = pen.Of[*master.Response_GetAgents]()
	agentsHere      = agentsForm.Field("agents")
	agentsRecovered = agentsForm.Field("recovered_agents")

	rolesAll = pen.Of[*master.Response_GetRoles]().Field("roles")
	roleForm = pen.Of[*mesos.Role]()

	roleName       = roleForm.Field("name")
	roleWeight     = roleForm.Field("weight")
	roleFrameworks = roleForm.Field("frameworks")
	roleResources  = roleForm.Field("resources")
)

// State writes a Response.GetState in f.
func State(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	p.Section(f)
	Tasks(p, stateTasks, s)
	Executors(p, stateExecutors, s)
	Frameworks(p, stateFrameworks, s)
	Agents(p, stateAgents, s)
	p.EndSection()
}

// burst is how many records are written before others get the processor.
const burst = 64

func yield(i int) {
	if i%burst == burst-1 {
		runtime.Gosched()
	}
}

// Tasks writes a Response.GetTasks in f.
func Tasks(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	p.Section(f)
	for _, list := range []struct {
		field *pen.Field
		of    func(view.FrameworkState) []*view.Task
	}{
		{tasksLive, func(f view.FrameworkState) []*view.Task { return f.Tasks }},
		{tasksUnreachable, func(f view.FrameworkState) []*view.Task { return f.UnreachableTasks }},
		{tasksCompleted, func(f view.FrameworkState) []*view.Task { return f.CompletedTasks }},
	} {
		p.List(list.field)
		for _, frameworks := range [][]view.FrameworkState{s.Frameworks, s.Completed} {
			for _, framework := range frameworks {
				writeTasks(p, list.field, list.of(framework))
			}
		}
		p.EndList()
	}
	p.EndSection()
}

// Executors writes a Response.GetExecutors in f.
func Executors(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	p.Section(f)
	p.List(executorsAll)
	for _, framework := range s.Frameworks {
		for i, e := range SortedExecutors(framework.Executors) {
			Executor(p, executorsAll, e)
			yield(i)
		}
	}
	p.EndList()
	p.EndSection()
}

// Frameworks writes a Response.GetFrameworks in f.
func Frameworks(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	host := hostsOf(s)
	p.Section(f)
	p.List(frameworksLive)
	for i, framework := range s.Frameworks {
		Framework(p, frameworksLive, framework, host)
		yield(i)
	}
	p.EndList()
	p.List(frameworksCompleted)
	for i, framework := range s.Completed {
		Framework(p, frameworksCompleted, framework, host)
		yield(i)
	}
	p.EndList()
	p.EndSection()
}

// hostsOf finds the host of an agent, with an index that is made when it is
// first needed.
func hostsOf(s *view.Snapshot) func(view.AgentID) string {
	var hosts map[view.AgentID]string
	return func(id view.AgentID) string {
		if hosts == nil {
			hosts = make(map[view.AgentID]string, len(s.Agents))
			for _, a := range s.Agents {
				hosts[a.ID] = a.Info.GetHostname()
			}
		}
		return hosts[id]
	}
}

// Agents writes a Response.GetAgents in f.
func Agents(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	usage := s.UsageByRole(runtime.Gosched)
	agents := s.SortedAgents()
	p.Section(f)
	p.List(agentsHere)
	for i, a := range agents {
		if a.Status != view.Recovered {
			Agent(p, agentsHere, a, usage[a.ID])
		}
		yield(i)
	}
	p.EndList()
	p.List(agentsRecovered)
	for _, a := range agents {
		if a.Status == view.Recovered {
			p.Message(agentsRecovered, a.Info)
		}
	}
	p.EndList()
	p.EndSection()
}

// Roles writes a Response.GetRoles in f.
func Roles(p *pen.Pen, f *pen.Field, s *view.Snapshot) {
	p.Section(f)
	p.List(rolesAll)
	for _, r := range RolesOf(s) {
		p.Begin(rolesAll)
		p.String(roleName, r.Name)
		p.Double(roleWeight, r.Weight)
		if len(r.Frameworks) > 0 {
			p.List(roleFrameworks)
			for _, id := range r.Frameworks {
				p.Begin(roleFrameworks)
				p.String(idValue, id)
				p.End()
			}
			p.EndList()
		}
		writeQuantities(p, roleResources, r.Held())
		p.End()
	}
	p.EndList()
	p.EndSection()
}
