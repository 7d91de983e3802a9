package api

import (
	"time"

	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// head is what all events have.
type head struct {
	Type string `json:"eventType"`
	At   string `json:"timestamp"`
}

// Publish tells those who listen of an event of the core's, in Marathon's words. It
// does not wait for them.
func (s *Server) Publish(e state.Event) {
	switch e.Occasion {
	case state.GroupChanged:
		s.tell("group_change_success", e.At, func(h head, _ bool) any {
			return groupChanged{app.Root, e.Version.String(), h}
		})
	case state.DeploymentBegan:
		// The first step is told of by itself.
	case state.DeploymentSucceeded, state.DeploymentFailed, state.StepBegan, state.StepSucceeded, state.StepFailed:
		s.publishDeployment(e)
	case state.StatusSeen:
		s.publishStatus(e)
	default:
		s.publishInstance(e)
	}
}

func (s *Server) tell(kind string, at time.Time, body func(h head, light bool) any) {
	h := head{kind, stamp(at)}
	s.Events.Publish(events.Event{Type: kind, Body: func(light bool) any { return body(h, light) }})
}

type groupChanged struct {
	Group   app.Path `json:"groupId"`
	Version string   `json:"version"`
	head
}

// posted tells that somebody asked for an app to be so.
func (c *call) posted(a *app.App) {
	client, uri := c.client(), c.r.URL.Path
	c.s.tell("api_post_event", c.s.Now(), func(h head, _ bool) any {
		return apiPosted{client, uri, wire.FromApp(a), h}
	})
}

type apiPosted struct {
	Client string    `json:"clientIp"`
	URI    string    `json:"uri"`
	App    *wire.App `json:"appDefinition"`
	head
}

// deploymentKinds are Marathon's words for what happens to deployments.
var deploymentKinds = map[state.Occasion]string{
	state.DeploymentSucceeded: "deployment_success",
	state.DeploymentFailed:    "deployment_failed",
	state.StepBegan:           "deployment_info",
	state.StepSucceeded:       "deployment_step_success",
	state.StepFailed:          "deployment_step_failure",
}

type deploymentChanged struct {
	ID     string     `json:"id,omitempty"` // of the first two kinds
	Plan   wire.Plan  `json:"plan"`
	Step   *wire.Step `json:"currentStep,omitempty"`
	Reason string     `json:"reason,omitempty"`
	head
}

func (s *Server) publishDeployment(e state.Event) {
	d := e.Deployment
	s.tell(deploymentKinds[e.Occasion], e.At, func(h head, light bool) any {
		body := deploymentChanged{Plan: plan(d, light), Reason: e.Reason, head: h}
		switch {
		case e.Occasion == state.DeploymentSucceeded || e.Occasion == state.DeploymentFailed:
			body.ID = d.ID
		case d.Step < len(d.Plan.Steps):
			body.Step = new(step(d.Plan.Steps[d.Step]))
		default:
			body.Step = &wire.Step{Actions: []wire.Action{}}
		}
		return body
	})
}

// plan is a deployment as events have it; light without groups.
func plan(d *state.DeploymentView, light bool) wire.Plan {
	w := wire.Plan{ID: d.ID, Version: d.Version.String(), Steps: steps(d.Plan.Steps)}
	if !light {
		w.Original = wire.FromGroup(d.Plan.Original, true, wire.Plain)
		w.Target = wire.FromGroup(d.Plan.Target, true, wire.Plain)
	}
	return w
}

type statusSeen struct {
	AgentID   string           `json:"slaveId"`
	TaskID    string           `json:"taskId"`
	State     string           `json:"taskStatus"`
	Message   string           `json:"message"`
	App       app.Path         `json:"appId"`
	Host      string           `json:"host"`
	Addresses []wire.IPAddress `json:"ipAddresses"`
	Ports     []int            `json:"ports"`
	Version   string           `json:"version"`
	head
}

func (s *Server) publishStatus(e state.Event) {
	i, status := e.Instance, e.Status
	s.tell("status_update_event", e.At, func(h head, _ bool) any {
		return statusSeen{
			AgentID: i.Agent, TaskID: status.GetTaskId().GetValue(), State: status.GetState().String(),
			Message: status.GetMessage(), App: i.App, Host: i.Host.Hostname, Addresses: addresses(i),
			Ports: append([]int{}, i.Ports...), Version: i.Version.String(), head: h,
		}
	})
}

// publishInstance tells what happened to one instance, or to an app's last one.
func (s *Server) publishInstance(e state.Event) {
	i := e.Instance
	switch e.Occasion {
	case state.InstanceChanged:
		s.tell("instance_changed_event", e.At, func(h head, _ bool) any {
			return instanceChanged{i.ID, conditionOf(i), i.App, i.Agent, i.Host.Hostname, i.Version.String(), h}
		})
	case state.HealthChanged:
		s.tell("health_status_changed_event", e.At, func(h head, _ bool) any {
			return healthChanged{instanceOf(i), e.Alive, h}
		})
		s.tell("instance_health_changed_event", e.At, func(h head, _ bool) any {
			return instanceHealth{i.ID, i.App, i.Version.String(), e.Alive, h}
		})
	case state.HealthFailed:
		if e.Check == nil {
			return
		}
		check := wire.FromHealthCheck(*e.Check)
		s.tell("failed_health_check_event", e.At, func(h head, _ bool) any {
			return healthFailed{instanceOf(i), check, h}
		})
	case state.UnhealthyKilled:
		for _, kind := range []string{"unhealthy_task_kill_event", "unhealthy_instance_kill_event"} {
			s.tell(kind, e.At, func(h head, _ bool) any {
				return unhealthyKilled{instanceOf(i), e.Reason, i.Host.Hostname, i.Agent, h}
			})
		}
	case state.AppTerminated:
		s.tell("app_terminated_event", e.At, func(h head, _ bool) any { return appTerminated{e.App, h} })
	case state.UnknownTerminated:
		id := e.Status.GetTaskId().GetValue()
		s.tell("unknown_instance_terminated_event", e.At, func(h head, _ bool) any {
			return unknownTerminated{id, e.App, e.Status.GetState().String(), h}
		})
	}
}

// Bodies of events about instances.
type (
	instanceRef struct {
		App      app.Path `json:"appId"`
		TaskID   string   `json:"taskId"`
		Instance string   `json:"instanceId"`
		Version  string   `json:"version"`
	}
	instanceChanged struct {
		Instance  string   `json:"instanceId"`
		Condition string   `json:"condition"`
		App       app.Path `json:"runSpecId"`
		Agent     string   `json:"agentId"`
		Host      string   `json:"host"`
		Version   string   `json:"runSpecVersion"`
		head
	}
	healthChanged struct {
		instanceRef
		Alive bool `json:"alive"`
		head
	}
	instanceHealth struct {
		Instance string   `json:"instanceId"`
		App      app.Path `json:"runSpecId"`
		Version  string   `json:"runSpecVersion"`
		Healthy  bool     `json:"healthy"`
		head
	}
	healthFailed struct {
		instanceRef
		Check wire.HealthCheck `json:"healthCheck"`
		head
	}
	unhealthyKilled struct {
		instanceRef
		Reason string `json:"reason"`
		Host   string `json:"host"`
		Agent  string `json:"slaveId"`
		head
	}
	appTerminated struct {
		App app.Path `json:"appId"`
		head
	}
	unknownTerminated struct {
		Instance  string   `json:"instanceId"`
		App       app.Path `json:"runSpecId"`
		Condition string   `json:"condition"`
		head
	}
)

func instanceOf(i *state.Instance) instanceRef {
	return instanceRef{i.App, i.Task, i.ID, i.Version.String()}
}

// conditions are Marathon's words for the states of tasks.
var conditions = map[mesos.TaskState]string{
	mesos.TaskState_TASK_STAGING:          "Staging",
	mesos.TaskState_TASK_STARTING:         "Starting",
	mesos.TaskState_TASK_RUNNING:          "Running",
	mesos.TaskState_TASK_KILLING:          "Killing",
	mesos.TaskState_TASK_FINISHED:         "Finished",
	mesos.TaskState_TASK_FAILED:           "Failed",
	mesos.TaskState_TASK_KILLED:           "Killed",
	mesos.TaskState_TASK_ERROR:            "Error",
	mesos.TaskState_TASK_LOST:             "Dropped",
	mesos.TaskState_TASK_DROPPED:          "Dropped",
	mesos.TaskState_TASK_UNREACHABLE:      "Unreachable",
	mesos.TaskState_TASK_GONE:             "Gone",
	mesos.TaskState_TASK_GONE_BY_OPERATOR: "Gone",
	mesos.TaskState_TASK_UNKNOWN:          "Unknown",
}

// conditionOf is what an instance is at.
func conditionOf(i *state.Instance) string {
	switch {
	case i.Task == "":
		return "Scheduled"
	case i.Away:
		return "UnreachableInactive"
	}
	return conditions[i.State]
}
