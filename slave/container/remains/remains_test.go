package remains

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"troupe/slave/container/isolator"
)

// held are containers, as isolators find them.
type held struct {
	ids  [][]string
	done []string
	busy int // how often something cannot be removed yet
	hook func()
}

func (h *held) Recover(context.Context) ([][]string, error) { return slices.Clone(h.ids), nil }

func (h *held) Kill(_ context.Context, c *isolator.Container) error {
	h.done = append(h.done, "kill "+strings.Join(c.ID, "/")+" "+c.Sandbox)
	if h.hook != nil {
		h.hook()
	}
	return nil
}

func (h *held) Cleanup(_ context.Context, c *isolator.Container) error {
	if h.busy > 0 {
		h.busy--
		return errors.New("it is busy")
	}
	line := "clean " + strings.Join(c.ID, "/") + " " + c.Sandbox
	if c.Parent != nil {
		line += " in " + strings.Join(c.Parent.ID, "/")
	}
	h.done = append(h.done, line)
	h.ids = slices.DeleteFunc(h.ids, func(id []string) bool { return slices.Equal(id, c.ID) })
	return nil
}

func TestSweep(t *testing.T) {
	h := &held{ids: [][]string{{"a"}, {"other"}, {"a", "x"}, {"a", "x", "y"}, {"other", "z"}}}
	s := Sweeper{Isolators: h, Processes: func(sandboxes []string) error {
		h.done = append(h.done, fmt.Sprint("processes of ", sandboxes))
		return nil
	}}
	if exits, err := s.Sweep(t.Context(), []Remains{{ID: "a", Sandbox: "/w/a"}, {ID: "b"}}); err != nil || len(exits) > 0 {
		t.Fatalf("%v, %v", exits, err)
	}
	want := []string{
		"kill a /w/a", "kill b ", "processes of [/w/a]",
		"clean a/x/y /w/a/containers/x/containers/y in a/x", "clean a/x /w/a/containers/x in a", "clean a /w/a", "clean b ",
	}
	if !reflect.DeepEqual(h.done, want) {
		t.Errorf("%q; want %q", h.done, want)
	}
	if strays, err := s.Strays(t.Context()); err != nil || !slices.Equal(strays, []string{"other"}) {
		t.Errorf("strays %v, %v", strays, err)
	}
}

func TestSweepTriesAgainAndNamesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &held{busy: 3}
		if _, err := (Sweeper{Isolators: h}).Sweep(t.Context(), []Remains{{ID: "a"}}); err != nil {
			t.Errorf("it was free in the end: %v", err)
		}
		h.busy = 1 << 30
		if _, err := (Sweeper{Isolators: h}).Sweep(t.Context(), []Remains{{ID: "a"}}); err == nil || !strings.Contains(err.Error(), "busy") {
			t.Errorf("it stays busy: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := (Sweeper{Isolators: h}).Sweep(ctx, []Remains{{ID: "a"}}); err == nil {
			t.Error("given up, and nothing said")
		}
	})
}

// TestSweepTakesItsTime: for as long as it gets anywhere, it is not given up; but one
// that does not end keeps nobody for long.
func TestSweepTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list []Remains
		for n := range 20 {
			list = append(list, Remains{ID: fmt.Sprint(n)})
		}
		slow := func() { <-time.After(patience / 2) }
		h := &held{hook: slow}
		begun := time.Now()
		if _, err := (Sweeper{Isolators: h}).Sweep(t.Context(), list); err != nil || len(h.done) != 40 {
			t.Errorf("%d steps, %v", len(h.done), err)
		}
		if took := time.Since(begun); took != 10*patience {
			t.Errorf("it took %s", took)
		}
		h = &held{busy: 1 << 30}
		begun = time.Now()
		if _, err := (Sweeper{Isolators: h}).Sweep(t.Context(), list); err == nil || time.Since(begun) > 2*patience {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

// TestExits: what a program came to before it was swept is told, also if it ended
// while it was; that it was killed by that is not.
func TestExits(t *testing.T) {
	recorded := map[Program]int32{{"ended", ""}: 0, {"shot", ""}: 9, {"pod", "shot"}: 9, {"other", "ended"}: 0}
	h := &held{hook: func() {
		for p, status := range map[Program]int32{{"ends", ""}: 256, {"swept", ""}: 9, {"pod", "ends"}: 0, {"pod", "swept"}: 9} {
			recorded[p] = status
		}
	}}
	s := Sweeper{Isolators: h, Exit: func(p Program) (int32, bool) {
		status, ok := recorded[p]
		return status, ok
	}}
	exits, err := s.Sweep(t.Context(), []Remains{
		{ID: "ended"},
		{ID: "shot"},
		{ID: "ends"},
		{ID: "swept"},
		{ID: "silent"},
		{ID: "pod", Tasks: []string{"shot", "ends", "swept", "ended"}},
	})
	want := map[Program]int32{{"ended", ""}: 0, {"shot", ""}: 9, {"ends", ""}: 256, {"pod", "shot"}: 9, {"pod", "ends"}: 0}
	if err != nil || !reflect.DeepEqual(exits, want) {
		t.Errorf("%v, %v; want %v", exits, err, want)
	}
}

func TestNothingIsolates(t *testing.T) {
	var swept []string
	s := Sweeper{Processes: func(sandboxes []string) error {
		swept = append(swept, sandboxes...)
		return nil
	}}
	if _, err := s.Sweep(t.Context(), []Remains{{ID: "a", Sandbox: "/w/a"}}); err != nil || !slices.Equal(swept, []string{"/w/a"}) {
		t.Errorf("%v, %v", swept, err)
	}
	if strays, err := s.Strays(t.Context()); err != nil || len(strays) > 0 {
		t.Errorf("%v, %v", strays, err)
	}
}
