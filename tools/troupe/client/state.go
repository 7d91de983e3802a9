package client

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// State is a master's /state, as far as the commands read it.
type State struct {
	ID                  string      `json:"id"`
	Version             string      `json:"version"`
	Leader              string      `json:"leader"`
	Agents              []Agent     `json:"slaves"`
	Frameworks          []Framework `json:"frameworks"`
	CompletedFrameworks []Framework `json:"completed_frameworks"`
}

// Resources are quantities by name; mem and disk in MB, ports as ranges.
type Resources map[string]any

// Scalar is a resource's amount; 0 when there is none.
func (r Resources) Scalar(name string) float64 {
	amount, ok := r[name].(float64)
	if !ok {
		return 0
	}
	return amount
}

// Agent is an agent as the master sees it.
type Agent struct {
	ID          string         `json:"id"`
	Hostname    string         `json:"hostname"`
	Port        int            `json:"port"`
	PID         string         `json:"pid"`
	Active      bool           `json:"active"`
	Deactivated bool           `json:"deactivated"`
	Drain       *Drain         `json:"drain_info,omitempty"`
	Version     string         `json:"version"`
	Attributes  map[string]any `json:"attributes"`
	Registered  float64        `json:"registered_time"`
	Resources   Resources      `json:"resources"`
	Used        Resources      `json:"used_resources"`
	Offered     Resources      `json:"offered_resources"`
}

// Drain tells how far the draining of an agent is.
type Drain struct {
	State  string `json:"state"` // DRAINING, then DRAINED
	Config struct {
		MarkGone bool `json:"mark_gone"`
	} `json:"config"`
}

// Standing is what the agent may be given, in one word.
func (a Agent) Standing() string {
	switch {
	case a.Drain != nil:
		return strings.ToLower(a.Drain.State)
	case a.Deactivated:
		return "deactivated"
	case !a.Active:
		return "disconnected"
	}
	return "active"
}

// Address is where the agent serves HTTP.
func (a Agent) Address() string {
	if _, address, ok := strings.Cut(a.PID, "@"); ok {
		return address
	}
	return net.JoinHostPort(a.Hostname, strconv.Itoa(a.Port))
}

// Framework is a framework with its tasks.
type Framework struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	User       string    `json:"user"`
	Role       string    `json:"role"`
	Roles      []string  `json:"roles"`
	Active     bool      `json:"active"`
	Connected  bool      `json:"connected"`
	Registered float64   `json:"registered_time"`
	Used       Resources `json:"used_resources"`
	Offered    Resources `json:"offered_resources"`
	Tasks      []Task    `json:"tasks"`
	Completed  []Task    `json:"completed_tasks"`
	Lost       []Task    `json:"unreachable_tasks"`
	Offers     []Offer   `json:"offers"`
}

// AllRoles is the framework's roles, whichever way it named them.
func (f Framework) AllRoles() string {
	if len(f.Roles) > 0 {
		return strings.Join(f.Roles, ",")
	}
	return f.Role
}

// Task is a task as the master sees it.
type Task struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	FrameworkID string    `json:"framework_id"`
	ExecutorID  string    `json:"executor_id"`
	AgentID     string    `json:"slave_id"`
	State       string    `json:"state"`
	Resources   Resources `json:"resources"`
	Statuses    []Status  `json:"statuses"`
}

// Since is the time of the last state, in seconds since 1970; 0 when unknown.
func (t Task) Since() float64 {
	if len(t.Statuses) == 0 {
		return 0
	}
	return t.Statuses[len(t.Statuses)-1].Timestamp
}

// Sandbox is the virtual path of the task's sandbox at its agent. A command
// task's executor has the task's id.
func (t Task) Sandbox() string {
	executor := t.ExecutorID
	if executor == "" {
		executor = t.ID
	}
	return "/frameworks/" + t.FrameworkID + "/executors/" + executor + "/runs/latest"
}

// Status is one entry of a task's history.
type Status struct {
	State     string  `json:"state"`
	Timestamp float64 `json:"timestamp"`
}

// Offer is an offer that a framework has not answered.
type Offer struct {
	ID          string    `json:"id"`
	FrameworkID string    `json:"framework_id"`
	AgentID     string    `json:"slave_id"`
	Resources   Resources `json:"resources"`
}

// File is an entry of a folder.
type File struct {
	Path  string  `json:"path"`
	Size  int64   `json:"size"`
	Mode  string  `json:"mode"`
	User  string  `json:"uid"`
	Mtime float64 `json:"mtime"`
}

// Agent finds an agent by its id, or by the end of it.
func (s *State) Agent(id string) (Agent, error) {
	for _, agent := range s.Agents {
		if agent.ID == id || strings.HasSuffix(agent.ID, "-"+id) {
			return agent, nil
		}
	}
	return Agent{}, fmt.Errorf("no agent %q is registered", id)
}

// Task finds a task by its id, in all frameworks or the one named. A running
// one is preferred to one that has ended.
func (s *State) Task(id, framework string) (Task, error) {
	for _, ended := range []bool{false, true} {
		var found []Task
		for _, f := range s.frameworks() {
			if framework != "" && f.ID != framework {
				continue
			}
			for _, task := range f.tasks(ended) {
				if task.ID == id {
					found = append(found, task)
				}
			}
		}
		switch {
		case len(found) == 1 || len(found) > 1 && ended:
			return found[len(found)-1], nil
		case len(found) > 1:
			return Task{}, fmt.Errorf("%d frameworks have a task %q: name one with --framework", len(found), id)
		}
	}
	if framework != "" {
		return Task{}, fmt.Errorf("framework %q has no task %q", framework, id)
	}
	return Task{}, fmt.Errorf("there is no task %q", id)
}

func (s *State) frameworks() []Framework {
	all := make([]Framework, 0, len(s.Frameworks)+len(s.CompletedFrameworks))
	return append(append(all, s.CompletedFrameworks...), s.Frameworks...)
}

func (f Framework) tasks(ended bool) []Task {
	if !ended {
		return f.Tasks
	}
	return append(append([]Task(nil), f.Lost...), f.Completed...)
}
