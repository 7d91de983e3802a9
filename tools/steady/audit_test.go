package steady

import (
	"strings"
	"testing"
	"time"
)

var begin = time.Unix(1_000_000, 0)

// story tells records, a second apart.
type story []Record

func (s *story) tell(r Record) *story {
	r.At = begin.Add(time.Duration(len(*s)) * time.Second)
	*s = append(*s, r)
	return s
}

func launched(task string) *story {
	return new(story).tell(Record{Launch: &Launch{Task: task, Agent: "S1"}})
}

func (s *story) kill() *story { return s.tell(Record{Kill: &Kill{Task: "t"}}) }

// told is an update by the agent; the uuid is made of the state.
func (s *story) told(state, reason, message string) *story {
	return s.tell(Record{Update: &Update{
		Task: "t", Agent: "S1", State: "TASK_" + state, UUID: []byte(state), Reason: reason, Message: message,
	}})
}

func (s *story) is(state string) *story { return s.told(state, "", "") }

// says is an update by the master.
func (s *story) says(state string, hearsay bool) *story {
	return s.tell(Record{Update: &Update{Task: "t", State: "TASK_" + state, Hearsay: hearsay}})
}

func TestAudit(t *testing.T) {
	const hostEnd = "REASON_EXECUTOR_TERMINATED"
	started := map[string][]string{"t": {"start 1"}}
	ended := func(status string) map[string][]string { return map[string][]string{"t": {"start 1", "end " + status}} }
	alive := map[string]int{"t": 1}
	died := func(tasks ...string) []Death { return []Death{{At: begin.Add(1500 * time.Millisecond), Tasks: tasks}} }
	for name, test := range map[string]struct {
		records  *story
		evidence Evidence
		want     string // "" is all well
	}{
		"runs":                     {launched("t").is("STARTING").is("RUNNING"), Evidence{Marks: started, Running: alive}, ""},
		"on its way":               {launched("t"), Evidence{Marks: started, Running: alive}, ""},
		"finished":                 {launched("t").is("RUNNING").is("FINISHED"), Evidence{Marks: ended("0"), Drained: true}, ""},
		"failed":                   {launched("t").is("RUNNING").told("FAILED", "", "Command exited with status 3"), Evidence{Marks: ended("3"), Drained: true}, ""},
		"killed":                   {launched("t").is("RUNNING").kill().is("KILLING").is("KILLED"), Evidence{Marks: started, Drained: true}, ""},
		"killed as it ended":       {launched("t").is("RUNNING").kill().is("KILLED"), Evidence{Marks: ended("0"), Drained: true}, ""},
		"killed before it started": {launched("t").kill().is("KILLED"), Evidence{Drained: true}, ""},
		"unreachable, then back":   {launched("t").is("RUNNING").says("UNREACHABLE", false).says("RUNNING", false), Evidence{Marks: started, Running: alive}, ""},
		"an update again":          {launched("t").is("RUNNING").is("RUNNING").is("FINISHED").is("FINISHED"), Evidence{Marks: ended("0"), Drained: true}, ""},
		"dropped":                  {launched("t").says("DROPPED", false), Evidence{Drained: true}, ""},
		"never heard of":           {launched("t").says("UNKNOWN", false), Evidence{Drained: true}, ""},
		"with its host":            {launched("t").is("RUNNING").told("FAILED", hostEnd, ""), Evidence{Marks: started, Deaths: died("t"), Drained: true}, ""},
		"with the host it names": {
			launched("t").is("RUNNING").told("FAILED", hostEnd, "its host H1 ended"),
			Evidence{Marks: started, Deaths: []Death{{At: begin.Add(1500 * time.Millisecond), Host: "H1"}}, Drained: true},
			"",
		},
		"with another host than it names": {
			launched("t").is("RUNNING").told("FAILED", hostEnd, "its host H12 ended"),
			Evidence{Marks: started, Deaths: []Death{{At: begin.Add(1500 * time.Millisecond), Host: "H1"}}, Drained: true},
			"should not have ended so",
		},
		"with its host, unstarted":        {launched("t").is("STARTING").told("FAILED", hostEnd, ""), Evidence{Deaths: died(), Drained: true}, ""},
		"with its host, just ended":       {launched("t").is("RUNNING").told("FAILED", hostEnd, ""), Evidence{Marks: ended("0"), Deaths: died(), Drained: true}, ""},
		"not found, twice":                {launched("t").says("GONE", false).is("DROPPED"), Evidence{Drained: true}, ""},
		"not found, but done":             {launched("t").says("GONE", false).is("FINISHED"), Evidence{Marks: ended("0"), Drained: true}, "TASK_FINISHED after it had ended"},
		"dropped, then gone":              {launched("t").is("DROPPED").says("GONE", false), Evidence{Drained: true}, "TASK_GONE after it had ended"},
		"gone as it ended, with its host": {launched("t").is("RUNNING").is("GONE"), Evidence{Marks: ended("0"), Deaths: died(), Drained: true}, ""},
		"hearsay before":                  {launched("t").is("RUNNING").says("FINISHED", true).is("FINISHED"), Evidence{Marks: ended("0"), Drained: true}, ""},
		"ran twice":                       {launched("t").is("RUNNING"), Evidence{Marks: map[string][]string{"t": {"start 1", "start 2"}}, Running: alive}, "it ran 2 times"},
		"ended twice":                     {launched("t").is("FINISHED"), Evidence{Marks: map[string][]string{"t": {"start 1", "end 0", "end 0"}}}, "it ran 2 times"},
		"two processes":                   {launched("t").is("RUNNING"), Evidence{Marks: started, Running: map[string]int{"t": 2}}, "2 processes"},
		"lost":                            {launched("t").is("RUNNING"), Evidence{Marks: started}, "no process, and no end"},
		"end never told":                  {launched("t").is("RUNNING"), Evidence{Marks: ended("0"), Drained: true}, "its end was never told"},
		"only hearsay":                    {launched("t").is("RUNNING").says("FINISHED", true), Evidence{Marks: ended("0"), Drained: true}, "its end was never told"},
		"runs on":                         {launched("t").is("RUNNING").kill().is("KILLED"), Evidence{Marks: started, Running: alive}, "it has ended, but runs"},
		"two ends":                        {launched("t").is("FINISHED").is("FAILED"), Evidence{Marks: ended("0")}, "TASK_FAILED after it had ended"},
		"back from the dead":              {launched("t").is("FINISHED").is("RUNNING"), Evidence{Marks: ended("0")}, "TASK_RUNNING after it had ended"},
		"other hearsay":                   {launched("t").is("FINISHED").says("KILLED", true), Evidence{Marks: ended("0")}, "the master says TASK_KILLED"},
		"out of order":                    {launched("t").is("RUNNING").is("STARTING"), Evidence{Marks: started, Running: alive}, "TASK_STARTING is out of order"},
		"finished, it says":               {launched("t").is("FINISHED"), Evidence{Marks: ended("3"), Drained: true}, "should not have ended so"},
		"finished without an end":         {launched("t").is("FINISHED"), Evidence{Marks: started, Drained: true}, "should not have ended so"},
		"failed with another status":      {launched("t").told("FAILED", "", "exited with status 4"), Evidence{Marks: ended("3"), Drained: true}, "should not have ended so"},
		"killed by nobody":                {launched("t").is("KILLED"), Evidence{Marks: started, Drained: true}, "should not have ended so"},
		"with another's host":             {launched("t").is("RUNNING").told("FAILED", hostEnd, ""), Evidence{Marks: started, Deaths: died("u"), Drained: true}, "should not have ended so"},
		"before its host":                 {launched("t").told("FAILED", hostEnd, ""), Evidence{Marks: started, Deaths: died("t"), Drained: true}, "should not have ended so"},
		"dropped, but it ran":             {launched("t").says("DROPPED", false), Evidence{Marks: started, Drained: true}, "should not have ended so"},
		"gone, but it ran":                {launched("t").is("RUNNING").is("GONE"), Evidence{Marks: started, Drained: true}, "should not have ended so"},
		"unknown, but it ran":             {launched("t").says("UNKNOWN", false), Evidence{Marks: started}, "nobody knows it, but it ran"},
		"launched twice":                  {launched("t").tell(Record{Launch: &Launch{Task: "t"}}), Evidence{Running: alive}, "launched twice"},
		"a stranger":                      {new(story), Evidence{Marks: started}, "never launched"},
		"a stranger's process":            {new(story), Evidence{Running: alive}, "never launched"},
		"a stranger's update":             {new(story).is("RUNNING"), Evidence{}, "never launched"},
		"one update, two states": {launched("t").is("RUNNING").tell(Record{Update: &Update{
			Task: "t", State: "TASK_FINISHED", UUID: []byte("RUNNING"),
		}}), Evidence{Marks: ended("0"), Running: alive}, "one update is TASK_RUNNING, then TASK_FINISHED"},
	} {
		t.Run(name, func(t *testing.T) {
			found := strings.Join(Audit(*test.records, test.evidence), "\n")
			if test.want == "" && found != "" || !strings.Contains(found, test.want) {
				t.Errorf("want %q, found:\n%s", test.want, found)
			}
		})
	}
}
