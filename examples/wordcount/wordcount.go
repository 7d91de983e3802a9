// Package wordcount counts words on a cluster: map tasks under an executor of
// its own, as many at a time as there are offers for; the scheduler adds up. It
// is the demo of troupe local, which alone imports it:
//
//	go run ./tools/troupe local --demo
package wordcount

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"troupe/executor"
	"troupe/frameworks"
	"troupe/messages/mesos"
)

//go:embed testdata/*.txt
var bundled embed.FS

// Job says what to count, and how.
type Job struct {
	Framework frameworks.Options
	Texts     fs.FS                     // read whole; nil means the bundled ones
	Executor  []string                  // argument vector of a program that calls Map
	Report    func(frameworks.Progress) // if not nil, gets the news of every piece
}

// Count counts every word of every text, in lower case.
func Count(ctx context.Context, j Job) (map[string]int, error) {
	total := map[string]int{}
	tasks, err := j.tasks()
	if err != nil {
		return total, err
	}
	ends, err := frameworks.RunTasks(ctx, j.Framework, j.Report, tasks...)
	for _, p := range ends {
		var counts map[string]int
		if e := p.Failure(); e != nil {
			err = errors.Join(err, e)
		} else if e := json.Unmarshal(p.Status.GetData(), &counts); e != nil {
			err = errors.Join(err, e)
		}
		for word, n := range counts {
			total[word] += n
		}
	}
	return total, err
}

// tasks makes a map task of each paragraph.
func (j Job) tasks() (tasks []*frameworks.Task, err error) {
	if j.Texts == nil {
		j.Texts, err = fs.Sub(bundled, "testdata")
	}
	names, e := fs.Glob(j.Texts, "*")
	err = errors.Join(err, e)
	mapper := &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("mapper")},
		Command: &mesos.CommandInfo{Shell: proto.Bool(false), Value: &j.Executor[0], Arguments: j.Executor},
	}
	for _, name := range names {
		text, e := fs.ReadFile(j.Texts, name)
		err = errors.Join(err, e)
		for i, paragraph := range strings.Split(string(text), "\n\n") {
			id := fmt.Sprintf("%s-%d", name, i)
			tasks = append(tasks, &frameworks.Task{ID: id, Data: []byte(paragraph), Executor: mapper, Retries: 5})
		}
	}
	return tasks, err
}

// Map is the executor: it counts one piece for each task, and rests for those
// who watch, until the agent tells it to shut down.
func Map(ctx context.Context, rest time.Duration) error {
	return executor.RunTasks(ctx, func(ctx context.Context, t *executor.Task) ([]byte, error) {
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		counts := map[string]int{}
		for _, word := range strings.FieldsFunc(string(t.Info.GetData()), func(r rune) bool { return !unicode.IsLetter(r) }) {
			counts[strings.ToLower(word)]++
		}
		return json.Marshal(counts)
	})
}
