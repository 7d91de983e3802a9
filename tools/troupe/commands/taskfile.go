package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"troupe/frameworks"
)

// readTaskFile reads the tasks of a file. The errors name the file, the task's
// number and the field.
func readTaskFile(path string, grace time.Duration) ([]*frameworks.Task, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	tasks, err := parseTasks(text, grace)
	if err != nil {
		return nil, fmt.Errorf("--file=%q: %w", path, err)
	}
	return tasks, nil
}

func parseTasks(text []byte, grace time.Duration) ([]*frameworks.Task, error) {
	var specs []taskSpec
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&specs); err != nil {
		return nil, fmt.Errorf("it is no list of tasks: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of tasks")
	}
	if len(specs) == 0 {
		return nil, errors.New("it lists no task")
	}
	var tasks []*frameworks.Task
	seen := map[string]int{}
	for i, spec := range specs {
		more, err := spec.expand(grace)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", i, err)
		}
		for _, task := range more {
			if before, twice := seen[task.ID]; twice {
				return nil, fmt.Errorf("task %d: name=%q: task %d is called so, too", i, task.ID, before)
			}
			seen[task.ID] = i
		}
		if len(tasks)+len(more) > maxInstances {
			return nil, fmt.Errorf("task %d: more than %d instances in all", i, maxInstances)
		}
		tasks = append(tasks, more...)
	}
	return tasks, nil
}
