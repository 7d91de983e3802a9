package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/api"
	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// heard are the bodies of events, as a callback gets them.
func heard(t *testing.T) (*api.Server, <-chan map[string]any) {
	t.Helper()
	got := make(chan map[string]any, 10)
	bus := events.New(events.Options{Post: func(_ context.Context, _ string, body []byte) error {
		var v map[string]any
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		got <- v
		return nil
	}})
	bus.Restore([]string{"http://listener"})
	t.Cleanup(bus.Close)
	return api.New(api.Options{Board: board.New(), Events: bus}), got
}

func TestEvents(t *testing.T) {
	s, got := heard(t)
	root := app.NewRoot()
	a := &app.App{ID: "/g/a", Networks: []app.Network{{Mode: app.ModeHost}}, Version: 5}
	plan := &rollout.Plan{Original: root, Target: root.With(a), Affected: []app.Path{"/g/a"}, Steps: []rollout.Step{{{Kind: rollout.Start, App: "/g/a"}}}}
	d := &state.DeploymentView{ID: "d1", Version: 7, Plan: plan}
	i := &state.Instance{
		ID: "g_a.1", Task: "g_a.1", App: "/g/a", Version: 5, State: mesos.TaskState_TASK_RUNNING,
		Place: state.Place{Agent: "S1", Host: match.Host{Hostname: "h"}, Ports: []int{1}},
	}
	task, text := "g_a.1", "so it is"
	status := &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &task}, State: mesos.TaskState_TASK_FAILED.Enum(), Message: &text}
	check := &app.HealthCheck{Protocol: app.HTTP, Path: "/", Interval: time.Minute}
	for _, c := range []struct {
		event state.Event
		want  string // the type, then fields
	}{
		{state.Event{Occasion: state.GroupChanged, Version: 7}, "group_change_success groupId version"},
		{state.Event{Occasion: state.StepBegan, Deployment: d}, "deployment_info currentStep plan"},
		{state.Event{Occasion: state.StepSucceeded, Deployment: d}, "deployment_step_success currentStep plan"},
		{state.Event{Occasion: state.StepFailed, Deployment: d, Reason: "r"}, "deployment_step_failure currentStep plan reason"},
		{state.Event{Occasion: state.DeploymentSucceeded, Deployment: d}, "deployment_success id plan"},
		{state.Event{Occasion: state.DeploymentFailed, Deployment: d, Reason: "r"}, "deployment_failed id plan reason"},
		{state.Event{Occasion: state.StatusSeen, Instance: i, Status: status}, "status_update_event appId host ipAddresses message ports slaveId taskId taskStatus version"},
		{state.Event{Occasion: state.InstanceChanged, Instance: i}, "instance_changed_event agentId condition host instanceId runSpecId runSpecVersion"},
		{state.Event{Occasion: state.HealthChanged, Instance: i, Alive: true}, "health_status_changed_event alive appId instanceId taskId version"},
		{state.Event{}, "instance_health_changed_event healthy instanceId runSpecId runSpecVersion"},
		{state.Event{Occasion: state.HealthFailed, Instance: i, Check: check}, "failed_health_check_event appId healthCheck instanceId taskId version"},
		{state.Event{Occasion: state.UnhealthyKilled, Instance: i, Reason: "r"}, "unhealthy_task_kill_event appId host instanceId reason slaveId taskId version"},
		{state.Event{}, "unhealthy_instance_kill_event appId host instanceId reason slaveId taskId version"},
		{state.Event{Occasion: state.AppTerminated, App: "/g/a"}, "app_terminated_event appId"},
		{state.Event{Occasion: state.UnknownTerminated, App: "/g/a", Status: status}, "unknown_instance_terminated_event condition instanceId runSpecId"},
	} {
		if c.event.Occasion != "" { // else it is the second of one occasion
			c.event.At = start
			s.Publish(c.event)
		}
		body := <-got
		kind, fields, _ := strings.Cut(c.want, " ")
		want := append(strings.Fields(fields), "eventType", "timestamp")
		slices.Sort(want)
		if has := slices.Sorted(maps.Keys(body)); !slices.Equal(has, want) || body["eventType"] != kind || body["timestamp"] != "2026-03-04T05:06:07.000Z" {
			t.Errorf("%s: got %v", c.want, body)
		}
		if p, there := body["plan"].(map[string]any); there {
			for _, key := range []string{"original", "target", "steps", "id", "version"} {
				if p[key] == nil {
					t.Errorf("%s: the plan has no %s", kind, key)
				}
			}
		}
	}
	s.Publish(state.Event{Occasion: state.DeploymentBegan, Deployment: d})
	s.Publish(state.Event{Occasion: state.HealthFailed, Instance: i})
	s.Publish(state.Event{Occasion: state.AppTerminated, App: "/last"})
	if body := <-got; body["appId"] != "/last" {
		t.Errorf("what says nothing was told: %v", body)
	}
}

// Every state of a task has a word of Marathon's.
func TestConditionsOfInstances(t *testing.T) {
	s, got := heard(t)
	for number, name := range mesos.TaskState_name {
		i := &state.Instance{ID: "a.1", Task: "a.1", State: mesos.TaskState(number)}
		s.Publish(state.Event{Occasion: state.InstanceChanged, Instance: i})
		if body := <-got; body["condition"] == "" {
			t.Errorf("%s has no word", name)
		}
	}
	s.Publish(state.Event{Occasion: state.InstanceChanged, Instance: &state.Instance{ID: "a.1"}})
	if body := <-got; body["condition"] != "Scheduled" {
		t.Errorf("without a task: %v", body)
	}
	s.Publish(state.Event{Occasion: state.InstanceChanged, Instance: &state.Instance{ID: "a.1", Task: "a.1", Away: true}})
	if body := <-got; body["condition"] != "UnreachableInactive" {
		t.Errorf("away: %v", body)
	}
}
