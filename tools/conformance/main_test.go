package conformance

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"troupe/tools/processtest"
)

// built is the program under test, built once.
var built string

func TestMain(m *testing.M) {
	if os.Getenv(asExecutor) != "" {
		err := playExecutor(os.Getenv)
		fmt.Fprintln(os.Stderr, err)
		if told := (*ends)(nil); errors.As(err, &told) {
			os.Exit(told.status)
		}
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "troupe-conformance-")
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
