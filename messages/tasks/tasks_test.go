package tasks

import (
	"strings"
	"testing"

	"troupe/messages/mesos"
)

// states holds for every state whether it is terminal, live, and an
// executor's to report.
var states = map[string]struct{ terminal, live, fromExecutor bool }{
	"STAGING":          {false, true, false},
	"STARTING":         {false, true, true},
	"RUNNING":          {false, true, true},
	"KILLING":          {false, true, true},
	"FINISHED":         {true, false, true},
	"FAILED":           {true, false, true},
	"KILLED":           {true, false, true},
	"ERROR":            {true, false, true},
	"LOST":             {true, false, true},
	"DROPPED":          {true, false, true},
	"GONE":             {true, false, true},
	"UNREACHABLE":      {false, false, false},
	"GONE_BY_OPERATOR": {true, false, false},
	"UNKNOWN":          {false, false, false},
}

func TestEveryState(t *testing.T) {
	for number, name := range mesos.TaskState_name {
		want, ok := states[strings.TrimPrefix(name, "TASK_")]
		if !ok {
			t.Errorf("%s is not in the table", name)
			continue
		}
		s := mesos.TaskState(number)
		if Terminal(s) != want.terminal || Live(s) != want.live || FromExecutor(s) != want.fromExecutor {
			t.Errorf("%s: terminal %v, live %v, from executor %v; want %+v", name, Terminal(s), Live(s), FromExecutor(s), want)
		}
	}
}

func TestUnknownNumberIsNothing(t *testing.T) {
	if s := mesos.TaskState(99); Terminal(s) || Live(s) || FromExecutor(s) {
		t.Error("a state that does not exist counts for something")
	}
}
