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
	os.Exit(processtest.Run(m, &built))
}
