package wire

import (
	"bytes"
	"encoding/json"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/schedule"
)

// Job is a job as answers have it; read again it is the same. Schedule and parents
// are there for jobs that have them; what Chronos did not know is there only if
// somebody set it, but for concurrent, which says all there is of an overlap that
// is skipped or allowed.
type Job struct {
	Name         string   `json:"name"`
	Command      string   `json:"command"`
	Shell        bool     `json:"shell"`
	Arguments    []string `json:"arguments"`
	Epsilon      string   `json:"epsilon"` // empty where there is none
	Executor     string   `json:"executor"`
	Flags        string   `json:"executorFlags"`
	TaskInfoData string   `json:"taskInfoData"`
	Retries      int      `json:"retries"`
	trigger
	people
	counts
	settings
	resources
	Fetch       []Fetch     `json:"fetch"`
	URIs        []string    `json:"uris"`
	Environment []Variable  `json:"environmentVariables"`
	Constraints [][3]string `json:"constraints"`
	Container   *Container  `json:"container,omitempty"`
}

type trigger struct {
	Schedule string   `json:"schedule,omitempty"`
	Zone     string   `json:"scheduleTimeZone"`
	Parents  []string `json:"parents,omitempty"`
}

type people struct {
	Owner       string            `json:"owner"`
	OwnerName   string            `json:"ownerName"`
	Description string            `json:"description"`
	Tags        map[string]string `json:"tags,omitempty"`
}

type counts struct {
	Successes   int64  `json:"successCount"`
	Errors      int64  `json:"errorCount"`
	Since       int64  `json:"errorsSinceLastSuccess"`
	LastSuccess string `json:"lastSuccess"`
	LastError   string `json:"lastError"`
}

type settings struct {
	Async          bool         `json:"async"`
	Disabled       bool         `json:"disabled"`
	SoftError      bool         `json:"softError"`
	DataProcessing bool         `json:"dataProcessingJobType"`
	HighPriority   bool         `json:"highPriority"`
	Concurrent     bool         `json:"concurrent"`
	Overlap        plan.Overlap `json:"overlap,omitempty"`
	RetryDelay     string       `json:"retryDelay,omitempty"`
	MaxCompletion  json.Number  `json:"maxCompletionTime"` // seconds
	User           string       `json:"runAsUser"`
}

type resources struct {
	CPUs float64 `json:"cpus"`
	Mem  float64 `json:"mem"`
	Disk float64 `json:"disk"`
}

// Fetch is a file that is brought into the sandbox.
type Fetch struct {
	URI        string `json:"uri"`
	Executable bool   `json:"executable"`
	Cache      bool   `json:"cache"`
	Extract    bool   `json:"extract"`
	OutputFile string `json:"output_file,omitempty"`
}

// Variable is one of the environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Parameter has a key where a Variable has a name.
type Parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Time prints a time as answers have it, an empty text for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// NewJob is how a job is shown.
func NewJob(v *plan.View) Job {
	j, s := v.Job, v.State
	return Job{
		Name: j.Name, Command: j.Command.Text, Shell: !j.Command.Exec, Arguments: list(j.Command.Arguments),
		Epsilon: duration(j.Policy.Epsilon), Executor: j.Command.Executor, Flags: j.Command.ExecutorFlags,
		TaskInfoData: j.Command.TaskInfoData, Retries: j.Policy.Retries,
		trigger:     trigger{v.Schedule, j.Trigger.Zone, j.Trigger.Parents},
		people:      people{j.About.Owner, j.About.OwnerName, j.About.Description, j.About.Tags},
		counts:      counts{s.Successes, s.Errors, s.ErrorsSinceSuccess, Time(s.LastSuccess), Time(s.LastError)},
		settings:    newSettings(j),
		resources:   resources{j.CPUs, j.Mem, j.Disk},
		Fetch:       fetches(j.Fetch),
		URIs:        uris(j.Fetch),
		Environment: variables(j.Environment),
		Constraints: list(j.Constraints),
		Container:   newContainer(j.Container),
	}
}

func newSettings(j *plan.Job) settings {
	p := j.Policy
	s := settings{
		Async: p.Async, Disabled: p.Disabled, SoftError: p.SoftError, DataProcessing: p.DataProcessing,
		HighPriority: p.HighPriority, Concurrent: p.Overlap == plan.Allow, RetryDelay: duration(p.RetryDelay),
		MaxCompletion: seconds(j.MaxCompletion), User: j.Command.User,
	}
	if p.Overlap == plan.KillExisting {
		s.Overlap = p.Overlap
	}
	return s
}

// list is never null on the wire.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return schedule.PrintDuration(d)
}

func fetches(all []plan.Fetch) []Fetch {
	list := []Fetch{}
	for _, f := range all {
		if !f.Older {
			list = append(list, Fetch{f.URI, f.Executable, f.Cache, f.Extract, f.OutputFile})
		}
	}
	return list
}

func uris(all []plan.Fetch) []string {
	list := []string{}
	for _, f := range all {
		if f.Older {
			list = append(list, f.URI)
		}
	}
	return list
}

func variables(all []plan.Pair) []Variable {
	list := []Variable{}
	for _, p := range all {
		list = append(list, Variable(p))
	}
	return list
}

func parameters(all []plan.Pair) []Parameter {
	list := []Parameter{}
	for _, p := range all {
		list = append(list, Parameter{p.Name, p.Value})
	}
	return list
}

// Line is a value in one line, as chronos-sync reads it, with <, > and & as they
// are. Values of this package do not fail.
func Line(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
