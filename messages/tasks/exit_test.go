package tasks

import (
	"fmt"
	"testing"
)

func TestExitCode(t *testing.T) {
	for status, want := range map[int]int{0: 0, 7 << 8: 7, 9: 137, 15 | 0x80: 143, -1: 255} {
		if got := ExitCode(status); got != want {
			t.Errorf("ExitCode(%d) = %d, want %d", status, got, want)
		}
	}
	for status, want := range map[int]string{
		6 | 0x80: "terminated with signal Aborted (core dumped)", 64: "terminated with signal Real-time signal 30", 32: "terminated with signal Unknown signal 32",
	} {
		if got := Describe(status); got != want {
			t.Errorf("Describe(%d) = %q, want %q", status, got, want)
		}
	}
	if got := fmt.Sprint(Describe(256)); got != "exited with status 1" {
		t.Error(got)
	}
}

func TestCodeOfReadsWhatDescribeSays(t *testing.T) {
	for status := range 1 << 16 {
		code, known := CodeOf(Describe(15) + Describe(256) + "; " + Describe(status))
		if !known || code != ExitCode(status) {
			t.Fatalf("CodeOf(%q) = %d, %t; want %d", Describe(status), code, known, ExitCode(status))
		}
	}
	for _, text := range []string{"", Describe(-1), "exited with status x", "terminated with signal None", "killed before it was launched"} {
		if code, known := CodeOf(text); known {
			t.Errorf("CodeOf(%q) = %d", text, code)
		}
	}
}
