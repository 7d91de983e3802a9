package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// step is an ACCEPT with other operations than LAUNCH.
type step struct {
	title, text string
	offer       func(resource *tree) bool // one with such a resource is needed
	operations  []string                  // of which each has an id
	state       string                    // that each of them ends in
}

// operation is one of an ACCEPT, with an id.
func operation(kind, id, part string) string {
	return fmt.Sprintf(`{"type": %q, "id": {"value": %q}, %q: %s}`, kind, id, strings.ToLower(kind), part)
}

// isFree and isVolume tell what a resource of an offer is: enough disk that is
// nobody's, or the volume.
func isFree(r *tree) bool {
	amount, err := strconv.ParseFloat(r.member("scalar", "value").string(), 64)
	return err == nil && amount >= 1024 && r.member("name").string() == "disk" && r.member("reservations") == nil
}

func isVolume(r *tree) bool { return r.member("disk", "persistence", "id").string() == "database" }

// steps are what else an offer is accepted for: to keep resources, to make
// volumes of them, and the way back.
func steps() []step {
	finished := "OPERATION_FINISHED"
	volumes := func(amount int) string { return `{"volumes": [` + disk(amount, "database") + `]}` }
	raw := `{"name": "disk", "type": "SCALAR", "scalar": {"value": 64}, "reservations": [{"type": "DYNAMIC", "role": "web"}], "disk": {"source": {"type": "RAW"}}}`
	return []step{
		{
			", to reserve and to make a volume", "Operations are done in turn, and each may build on those before it. The status of one that has an `id` is told.",
			isFree,
			[]string{
				operation("RESERVE", "reserve-1", `{"resources": [`+disk(1024, "")+`]}`),
				operation("CREATE", "create-1", volumes(512)),
			},
			finished,
		},
		{", to enlarge a volume", "", isVolume, []string{
			operation("GROW_VOLUME", "grow-1", `{"volume": `+disk(512, "database")+`, "addition": `+disk(256, "")+`}`),
		}, finished},
		{", to make it smaller", "", isVolume, []string{
			operation("SHRINK_VOLUME", "shrink-1", `{"volume": `+disk(768, "database")+`, "subtract": {"value": 256}}`),
		}, finished},
		{", to undo it all", "", isVolume, []string{
			operation("DESTROY", "destroy-1", volumes(512)),
			operation("UNRESERVE", "unreserve-1", `{"resources": [`+disk(1024, "")+`]}`),
		}, finished},
		{
			", for what only resource providers do", "There are none here: this ends in `OPERATION_ERROR`.",
			isFree,
			[]string{
				operation("CREATE_DISK", "disk-1", `{"source": `+raw+`, "target_type": "MOUNT"}`),
				operation("DESTROY_DISK", "disk-2", `{"source": `+raw+`}`),
			},
			"OPERATION_ERROR",
		},
	}
}

// operations accepts offers for more than tasks.
func (s *script) operations() error {
	for i, one := range steps() {
		if err := s.perform(one, i == 0); err != nil {
			return fmt.Errorf("ACCEPT%s: %w", one.title, err)
		}
	}
	return s.launchGroup()
}

// perform accepts an offer for a step, and hears how its operations end, which
// is shown of the first.
func (s *script) perform(one step, first bool) error {
	offer, err := s.offeredWith(one.offer)
	if err != nil {
		return err
	}
	if err := s.say(s.schedulerChapter, call{http.StatusAccepted, "ACCEPT" + one.title, one.text, fmt.Sprintf(
		`"accept": {"offer_ids": [{"value": %q}], "operations": [%s], "filters": {"refuse_seconds": 0}}`, offer, strings.Join(one.operations, ", "))}); err != nil {
		return err
	}
	for i := range one.operations {
		in := &chapter{}
		if first && i == 0 {
			in = s.schedulerChapter
		}
		if err := s.outcome(in, one.state); err != nil {
			return err
		}
	}
	return nil
}

// outcome hears of the end of an operation, and acknowledges it.
func (s *script) outcome(in *chapter, state string) error {
	event, err := s.heard(in, s.scheduler, "UPDATE_OPERATION_STATUS",
		"How an operation ended, which had an `id`. It is repeated until it is acknowledged, unless it has no `uuid`.", nil)
	if err != nil {
		return err
	}
	status := event.member("update_operation_status", "status")
	id := status.member("operation_id", "value").string()
	if got := status.member("state").string(); got != state {
		return fmt.Errorf("operation %s is %s, not %s: %s", id, got, state, status.member("message").string())
	}
	uuid := status.member("uuid", "value").string()
	if uuid == "" {
		return nil
	}
	if len(in.entries) > 0 {
		if err := s.reconcileOperation(in, id); err != nil {
			return err
		}
	}
	return s.say(in, call{http.StatusAccepted, "ACKNOWLEDGE_OPERATION_STATUS", "", fmt.Sprintf(
		`"acknowledge_operation_status": {"agent_id": {"value": %q}, "uuid": %q, "operation_id": {"value": %q}}`, s.agent, uuid, id)})
}

// reconcileOperation asks how an operation is.
func (s *script) reconcileOperation(in *chapter, id string) error {
	if err := s.say(in, call{http.StatusAccepted, "RECONCILE_OPERATIONS", "With no `operations` it asks for all that the master knows of the framework.", fmt.Sprintf(
		`"reconcile_operations": {"operations": [{"operation_id": {"value": %q}, "agent_id": {"value": %q}}]}`, id, s.agent)}); err != nil {
		return err
	}
	_, err := s.heard(in, s.scheduler, "UPDATE_OPERATION_STATUS, which answers it", "", func(t *tree) bool {
		status := t.member("update_operation_status", "status")
		return status.member("operation_id", "value").string() == id && status.member("uuid") == nil
	})
	return err
}

// launchGroup runs tasks as a group, and ends them.
func (s *script) launchGroup() error {
	offer, err := s.offeredWith(isFree)
	if err != nil {
		return err
	}
	if err := s.say(s.schedulerChapter, call{
		http.StatusAccepted, "ACCEPT, to run a group of tasks", "They start together, under one executor, and when one fails the others are ended.",
		s.acceptGroup(offer, s.executor("group", "DEFAULT"), "left", "right"),
	}); err != nil {
		return err
	}
	for _, state := range []string{"TASK_STARTING", "TASK_RUNNING"} {
		for _, task := range []string{"left", "right"} {
			if err := s.acknowledge(task, state); err != nil {
				return err
			}
		}
	}
	return s.quietly(call{http.StatusAccepted, "SHUTDOWN", "", fmt.Sprintf(
		`"shutdown": {"agent_id": {"value": %q}, "executor_id": {"value": "group"}}`, s.agent)})
}
