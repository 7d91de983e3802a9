package e2e

import (
	"os"
	"testing"

	"troupe/tools/steady"
)

// built is the program under test, built once.
var built string

func TestMain(m *testing.M) {
	if status, meant := steady.Process(); meant {
		os.Exit(status)
	}
	os.Exit(prepared(m))
}
