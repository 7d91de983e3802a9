// Package wordcount counts words on a cluster: map tasks under an executor of
// its own, as many at a time as there are offers for, each counting a piece of
// the text; the scheduler adds up. The example mapreduce and the demo of
// troupe local import it.
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
	Framework frameworks.Options        // Name may be empty
	Texts     fs.FS                     // read whole; nil means the bundled ones
	Executor  []string                  // argument vector of a program that calls Map
	Pause     time.Duration             // every piece takes so much longer, for those who watch
	Report    func(frameworks.Progress) // if not nil, gets the news of every piece
}

// piece is the work of one map task.
type piece struct {
	Text  string
	Pause time.Duration
}

// Count counts every word of every text, in lower case.
func Count(ctx context.Context, j Job) (map[string]int, error) {
	tasks, err := j.tasks()
	if err != nil {
		return nil, err
	}
	if j.Framework.Name == "" {
		j.Framework.Name = "wordcount"
	}
	total := map[string]int{}
	ends, err := frameworks.RunTasks(ctx, j.Framework, j.Report, tasks...)
	for _, p := range ends {
		var counts map[string]int
		failure := p.Failure()
		if failure == nil {
			failure = json.Unmarshal(p.Status.GetData(), &counts)
		}
		err = errors.Join(err, failure)
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
			data, e := json.Marshal(piece{paragraph, j.Pause})
			err = errors.Join(err, e)
			tasks = append(tasks, &frameworks.Task{
				ID: fmt.Sprintf("%s-%d", name, i), Data: data, Executor: mapper, Resources: "cpus:0.2;mem:16", Retries: 5,
			})
		}
	}
	return tasks, err
}

// Map is the executor: it counts one piece for each task, until the agent
// tells it to shut down.
func Map(ctx context.Context) error {
	return executor.RunTasks(ctx, func(ctx context.Context, t *executor.Task) ([]byte, error) {
		var p piece
		err := json.Unmarshal(t.Info.GetData(), &p)
		select {
		case <-time.After(p.Pause):
		case <-ctx.Done():
			err = ctx.Err()
		}
		counts := map[string]int{}
		for _, word := range strings.FieldsFunc(p.Text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			counts[strings.ToLower(word)]++
		}
		data, e := json.Marshal(counts)
		return data, errors.Join(err, e)
	})
}
