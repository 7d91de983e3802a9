package e2e

import (
	"fmt"
	"os"
	"testing"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

// built is the program under test, built once.
var built string

func TestMain(m *testing.M) {
	if status, meant := steady.Process(); meant {
		os.Exit(status)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "troupe-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) // what stays is temporary all the same
	if built, err = processtest.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
