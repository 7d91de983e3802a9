// Package steady is a framework that keeps a number of tasks running and
// writes down all that it does and hears, so that tests can compare what it
// was told with what happened. Tests of real processes run it as a process of
// its own.
//
// It keeps the rules that a careful author keeps: a launch is written down
// before it is made, an update before it is acknowledged, and a scheduler that
// starts again takes up where the one before was killed.
package steady

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks"
)

// Options say what is kept running.
type Options struct {
	// Master is where the master is, in any form that frameworks take.
	Master string
	// Dir is a folder for everything the framework writes; it is made if need
	// be. A second scheduler with the same folder is the same framework.
	Dir string
	// Count is how many tasks run.
	Count int
	// Brief bounds the lives of two thirds of the tasks, which end by
	// themselves; 0 means that all last until they are killed.
	Brief time.Duration
	// KillEvery is the pause between two kills of tasks that last; 0 is never.
	KillEvery time.Duration
	// FailoverTimeout is the framework's.
	FailoverTimeout time.Duration
	// Seed decides how long tasks last and how they end.
	Seed uint64
	// Logger is nil for silence.
	Logger *zap.Logger `json:"-"`
}

// JournalPath is where a framework keeps its records.
func JournalPath(dir string) string { return filepath.Join(dir, "records") }

// TaskPath is the file of a task's own: its process appends "start PID" when it
// starts, and "end STATUS" before it exits by itself.
func TaskPath(dir, task string) string { return filepath.Join(dir, "tasks", task) }

// Drain asks the framework of a folder to kill its tasks, and to end when all
// have ended. It is heard by whichever scheduler runs, or starts later.
func Drain(dir string) error { return os.WriteFile(drainPath(dir), nil, 0o600) }

// Calm asks the framework of a folder to launch only tasks that last, and to
// kill none: some time later all its tasks run.
func Calm(dir string) error { return os.WriteFile(calmPath(dir), nil, 0o600) }

func calmPath(dir string) string { return filepath.Join(dir, "calm") }

func drainPath(dir string) string { return filepath.Join(dir, "drain") }

// Run runs the framework until it is drained, refused, or ctx is done.
func Run(ctx context.Context, o Options) (err error) {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "tasks"), 0o777); err != nil {
		return err
	}
	journal, records, err := OpenJournal(JournalPath(o.Dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	if err := journal.Append([]Record{{At: time.Now(), Start: &Start{PID: os.Getpid()}}}); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	s := &keeper{o: o, journal: journal, tasks: map[string]*task{}}
	for _, r := range records {
		s.remember(r)
	}
	return errors.Join(frameworks.Run(ctx, frameworks.Options{
		Master: o.Master, Name: "steady", Store: frameworks.FileStore(filepath.Join(o.Dir, "framework")),
		FailoverTimeout: o.FailoverTimeout, Logger: o.Logger,
	}, s), s.failure)
}
