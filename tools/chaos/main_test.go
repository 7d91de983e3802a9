package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/zap"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

const (
	// roleVariable makes the test's program another one.
	roleVariable = "TROUPE_CHAOS_ROLE"
	seedVariable = "TROUPE_CHAOS_SEED"
	timeVariable = "TROUPE_CHAOS_TIME"
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
	if os.Getenv(roleVariable) == string(Scheduler) {
		os.Exit(schedule(os.Args[1], os.Args[2]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := settings(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "troupe-chaos-")
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

// schedule is the scheduler's process.
func schedule(master, dir string) int {
	logger, err := zap.NewProduction()
	if err == nil {
		err = steady.Run(context.Background(), steady.Options{
			Master: master, Dir: dir, Count: tasks, Brief: briefTask, KillEvery: killEvery,
			FailoverTimeout: time.Hour, Seed: 1, Logger: logger,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// replay is the command that repeats a plan.
func replay(t *testing.T) string {
	return fmt.Sprintf("%s=%d %s=%s go test -count=1 -timeout=%s -v -run '^%s$' ./%s",
		seedVariable, seed, timeVariable, length, length+10*time.Minute, t.Name(), filepath.Join("tools", "chaos"))
}
