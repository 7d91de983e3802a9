package steady

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Record is one thing that the framework did or heard. Exactly one of its
// pointers is set.
type Record struct {
	// At is when it was written.
	At     time.Time
	Start  *Start  `json:",omitempty"`
	Launch *Launch `json:",omitempty"`
	Kill   *Kill   `json:",omitempty"`
	Update *Update `json:",omitempty"`
}

// Start is written when a scheduler begins, or begins again.
type Start struct{ PID int }

// Launch is written before a task is launched.
type Launch struct {
	Task, Agent string
	// Lasts is how long the task runs; 0 means until it is killed. Exit is what
	// it exits with then.
	Lasts time.Duration
	Exit  int
}

// Kill is written before a task is killed.
type Kill struct{ Task string }

// Update is written before an update is acknowledged.
type Update struct {
	Task, Agent, State string
	// UUID is empty when the update needs no acknowledgement.
	UUID                    []byte `json:",omitempty"`
	Reason, Source, Message string `json:",omitempty"`
	// Hearsay: the master answers that the task has ended; its agent will say
	// so, too, and counts.
	Hearsay bool `json:",omitempty"`
}

// Journal keeps records in a file, one to a line.
type Journal struct{ file *os.File }

// OpenJournal opens a journal, which is made if there is none, and returns
// what it holds. A last line that was not written to its end is cut off: it
// was never relied on.
func OpenJournal(path string) (*Journal, []Record, error) {
	records, whole, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := f.Truncate(int64(whole)); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &Journal{f}, records, nil
}

// ReadJournal returns what a journal holds by now; none holds nothing.
func ReadJournal(path string) ([]Record, error) {
	records, _, err := read(path)
	return records, err
}

// read also returns how many bytes are whole lines.
func read(path string) (records []Record, whole int, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	for {
		line, _, ended := bytes.Cut(data[whole:], []byte("\n"))
		if !ended {
			return records, whole, nil
		}
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, 0, fmt.Errorf("%s, line %d: %w", path, len(records)+1, err)
		}
		records = append(records, r)
		whole += len(line) + 1
	}
}

// Append makes records durable before it returns.
func (j *Journal) Append(records []Record) error {
	var lines []byte
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	if _, err := j.file.Write(lines); err != nil {
		return fmt.Errorf("append %d records: %w", len(records), err)
	}
	return j.file.Sync()
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
