package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

const (
	seedVariable = "TROUPE_CHAOS_SEED"
	timeVariable = "TROUPE_CHAOS_TIME"
	// keepVariable names a folder for all that a failed test leaves.
	keepVariable = "TROUPE_CHAOS_KEEP"
	// shortTime is how long faults come when nothing else is said.
	shortTime = 40 * time.Second
)

// built is the program under test, built once; seed and length are of every
// test here.
var (
	built  string
	seed   uint64
	length = shortTime
)

func TestMain(m *testing.M) {
	if status, meant := steady.Process(); meant {
		os.Exit(status)
	}
	if os.Getenv(netVariable) == "" {
		if code, done := apart(); done {
			os.Exit(code)
		}
	} else if err := settle(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(unsettled)
	} else {
		noPartitions = ""
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := settings(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return processtest.Run(m, &built)
}

// settings reads what the environment says.
func settings() (err error) {
	seed = uint64(time.Now().UnixNano() % 1_000_000)
	if text := os.Getenv(seedVariable); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("%s: %w", seedVariable, err)
		}
	}
	if text := os.Getenv(timeVariable); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%s: %w", timeVariable, err)
		}
	}
	return nil
}

// replay is the command that repeats a plan.
func replay(t *testing.T) string {
	return fmt.Sprintf("%s=%d %s=%s go test -count=1 -timeout=%s -v -run '^%s$' ./%s",
		seedVariable, seed, timeVariable, length, length+10*time.Minute, t.Name(), filepath.Join("tools", "chaos"))
}
