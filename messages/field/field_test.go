package field

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestErrorNamesPathValueAndReason(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{Invalid("port", 70000, "is above %d", 65535), `port: 70000: is above 65535`},
		{Invalid("name", "a\nb", "has a line break"), `name: "a\nb": has a line break`},
		{Invalid("data", []byte{0xff}, "is odd"), `data: "\xff": is odd`},
		{Invalid("", "x", "is unknown"), `"x": is unknown`},
		{Missing("task_id"), `task_id: must be set`},
		{In("task", Missing("task_id")), `task.task_id: must be set`},
		{At("tasks", 3, Missing("task_id")), `tasks[3].task_id: must be set`},
		{In("resources", At("", 2, Missing("name"))), `resources[2].name: must be set`},
		{In("launch", Missing("")), `launch: must be set`},
		{In("body", io.ErrUnexpectedEOF), `body: unexpected EOF`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestNoErrorStaysNone(t *testing.T) {
	if In("a", nil) != nil || At("a", 1, nil) != nil {
		t.Error("a prefix made an error of nil")
	}
}

func TestInKeepsTheCause(t *testing.T) {
	if !errors.Is(In("body", io.EOF), io.EOF) {
		t.Error("the cause is lost")
	}
	var e *Error
	if !errors.As(In("a", Invalid("b", 1, "is odd")), &e) || e.Path != "a.b" || e.Value != "1" {
		t.Errorf("got %+v", e)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	for _, value := range []any{strings.Repeat("x", 1<<20), []byte(strings.Repeat("y", 1<<20)), make([]int, 1<<16)} {
		if n := len(Invalid("f", value, "is long").Error()); n > 2*maxValue {
			t.Errorf("an error of %d bytes", n)
		}
	}
}
