package steady

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path string, records ...Record) []Record {
	t.Helper()
	j, before, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(records); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return before
}

// What was appended is read again, by whoever opens the journal next; an
// append that was cut short is as if it had not been.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	at := time.Unix(5, 0).UTC()
	first := []Record{{At: at, Start: &Start{PID: 7}}, {At: at, Launch: &Launch{Task: "t", Agent: "S1", Lasts: time.Second, Exit: 3}}}
	second := []Record{{At: at, Kill: &Kill{Task: "t"}}, {At: at, Update: &Update{Task: "t", State: "TASK_KILLED", UUID: []byte{0, 255}}}}
	if before := write(t, path, first...); before != nil {
		t.Errorf("a new journal holds %v", before)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"At":"2026-01-`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if before := write(t, path, second...); !reflect.DeepEqual(before, first) {
		t.Errorf("%+v, not %+v", before, first)
	}
	if all, err := ReadJournal(path); err != nil || !reflect.DeepEqual(all, append(first, second...)) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestJournalThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	if all, err := ReadJournal(path); all != nil || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if err := os.WriteFile(path, []byte("{}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadJournal(path); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
	if _, _, err := OpenJournal(path); err == nil {
		t.Error("nonsense is opened")
	}
}
