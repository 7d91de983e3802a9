package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestMain lets this binary be the program, and the children that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && (os.Args[1] == childCommand || os.Args[1] == "--quick") {
		if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestWorksRun runs every work with a small load: each gives its figures, and
// none fails. Each is a process of its own: protoactor's remote, the peer of
// some, races when it starts a second time in one.
func TestWorksRun(t *testing.T) {
	for _, w := range works() {
		t.Run(w.name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), os.Args[0], "--quick", w.name).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if lines := strings.Count(string(out), "\n"+w.name) + 1; lines < 2 {
				t.Errorf("%d figures:\n%s", lines, out)
			}
		})
	}
}

func TestAFailureIsToldAndTheOthersRun(t *testing.T) {
	boom := errors.New("boom")
	ran := false
	ws := []work{
		{"first", "", func(context.Context, load) ([]figure, error) { return []figure{{what: "half", value: 1}}, boom }},
		{"second", "", func(context.Context, load) ([]figure, error) { ran = true; return nil, nil }},
	}
	var out bytes.Buffer
	if err := measure(t.Context(), ws, load{scale: 1}, &out); !errors.Is(err, boom) || !strings.Contains(err.Error(), "first: ") {
		t.Errorf("error %v", err)
	}
	if !ran || !strings.Contains(out.String(), "first          did not run: boom") || !strings.Contains(out.String(), "half") {
		t.Errorf("ran %t, printed %q", ran, out.String())
	}
}

func TestArguments(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--list", "send"}, nil, &out); err != nil || !strings.HasPrefix(out.String(), "send ") {
		t.Errorf("%q, %v", out.String(), err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nothing"}, `no work "nothing"`},
		{[]string{"--odd"}, "flag provided but not defined"},
		{[]string{childCommand, "nobody"}, `no role "nobody"`},
	} {
		if err := run(t.Context(), c.args, nil, &out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.args, err, c.want)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		t       target
		value   float64
		text    string
		verdict string
	}{
		{target{}, 5, "–", ""},
		{target{atMost: 30}, 30, "≤ 30", "met"},
		{target{atMost: 30}, 30.1, "≤ 30", "missed"},
		{target{atLeast: 0.85}, 0.85, "≥ 0.85", "met"},
		{target{atLeast: 1.3}, 1.2, "≥ 1.3", "missed"},
	} {
		if c.t.String() != c.text || c.t.verdict(c.value) != c.verdict {
			t.Errorf("%+v: %q and %q for %v", c.t, c.t, c.t.verdict(c.value), c.value)
		}
	}
	for v, want := range map[float64]string{1234.5: "1234", 12.345: "12.3", 0.0123: "0.0123", 0: "0", -150.2: "-150"} {
		if got := number(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestWorksHaveNames(t *testing.T) {
	var names []string
	for _, w := range works() {
		if w.help == "" || w.run == nil || slices.Contains(names, w.name) {
			t.Errorf("row %+v", w)
		}
		names = append(names, w.name)
	}
}
