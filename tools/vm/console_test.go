package vm

import (
	"errors"
	"testing"
)

func TestStuck(t *testing.T) {
	for text, want := range map[string]bool{
		"[   68.6] watchdog: BUG: soft lockup - CPU#1 stuck for 44s! [x:846]\n":  false,
		"[  132.6] watchdog: BUG: soft lockup - CPU#1 stuck for 104s! [x:846]\n": true,
		"[  132.6] watchdog: BUG: soft lockup - CPU#1 stuck for 104s! [x:846]":   false, // the line has no end yet
		"soft\nlockup - CPU#1 stuck for 999s\n":                                  false,
	} {
		stuck := false
		c := console{stuck: func(error) { stuck = true }}
		for i := range text { // one byte at a time
			if n, err := c.Write([]byte(text[i : i+1])); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if stuck != want || c.text.String() != text {
			t.Errorf("%q: stuck is %t", text, stuck)
		}
	}
}

// A kernel that is stuck is not waited for.
func TestStuckMachine(t *testing.T) {
	busybox, err := lookUp("busybox")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Machine{}.Run(t.Context(), Program{Path: busybox, Args: []string{
		"sh", "-c", "echo '<0>watchdog: BUG: soft lockup - CPU#0 stuck for 999s! [sh:1]' >/dev/kmsg; sleep 1000",
	}})
	if !errors.Is(err, errStuck) || r == nil || len(r.Codes) > 0 {
		t.Errorf("%v", err)
	}
}
