package client

import "encoding/json"

// Job is a job as Chronos has it. What is not set is the server's choice. A job
// that was got may be put again as it is.
type Job struct {
	Name string `json:"name"`
	Program
	When
	Policy
	About
	Resources
	Counts
	Constraints [][3]string     `json:"constraints,omitempty"`
	Container   json.RawMessage `json:"container,omitempty"` // as the reference has it
}

// Program is what a run executes.
type Program struct {
	Command     string     `json:"command"`
	Shell       *bool      `json:"shell,omitempty"` // nil: true
	Arguments   []string   `json:"arguments,omitempty"`
	User        string     `json:"runAsUser,omitempty"`
	Environment []Variable `json:"environmentVariables,omitempty"`
	URIs        []string   `json:"uris,omitempty"`
	Fetch       []Fetch    `json:"fetch,omitempty"`
}

// Variable is one of the environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Fetch is a file that is brought into the sandbox.
type Fetch struct {
	URI        string `json:"uri"`
	Executable bool   `json:"executable,omitempty"`
	Cache      bool   `json:"cache,omitempty"`
	Extract    *bool  `json:"extract,omitempty"` // nil: true
	OutputFile string `json:"output_file,omitempty"`
}

// When says when a job runs: one of Schedule and Parents is set.
type When struct {
	Schedule string   `json:"schedule,omitempty"` // R[n]/START/PERIOD, or a cron line
	Zone     string   `json:"scheduleTimeZone,omitempty"`
	Parents  []string `json:"parents,omitempty"`
}

// Policy is how runs are treated. Epsilon and RetryDelay are ISO 8601 durations.
type Policy struct {
	Epsilon        string      `json:"epsilon,omitempty"`
	RetryDelay     string      `json:"retryDelay,omitempty"`
	Retries        *int        `json:"retries,omitempty"`           // nil: 2
	MaxCompletion  json.Number `json:"maxCompletionTime,omitempty"` // seconds
	Overlap        string      `json:"overlap,omitempty"`           // kill-existing
	Concurrent     bool        `json:"concurrent,omitempty"`
	Disabled       bool        `json:"disabled,omitempty"`
	SoftError      bool        `json:"softError,omitempty"`
	Async          bool        `json:"async,omitempty"`
	HighPriority   bool        `json:"highPriority,omitempty"`
	DataProcessing bool        `json:"dataProcessingJobType,omitempty"`
}

// About is for people.
type About struct {
	Owner       string            `json:"owner,omitempty"` // mail addresses, with commas between
	OwnerName   string            `json:"ownerName,omitempty"`
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Resources are what a run needs; 0 is the server's choice. Mem and Disk are in MiB.
type Resources struct {
	CPUs float64 `json:"cpus,omitempty"`
	Mem  float64 `json:"mem,omitempty"`
	Disk float64 `json:"disk,omitempty"`
}

// Counts are what the server has counted. Times are empty, or in RFC 3339.
type Counts struct {
	Successes          int64  `json:"successCount,omitempty"`
	Errors             int64  `json:"errorCount,omitempty"`
	ErrorsSinceSuccess int64  `json:"errorsSinceLastSuccess,omitempty"`
	LastSuccess        string `json:"lastSuccess,omitempty"`
	LastError          string `json:"lastError,omitempty"`
}

// Summary is a job in one line.
type Summary struct {
	Name     string   `json:"name"`
	Status   string   `json:"status"` // success, failure or fresh
	State    string   `json:"state"`  // idle, queued, or as in "2 running"
	Schedule string   `json:"schedule"`
	Parents  []string `json:"parents"`
	Disabled bool     `json:"disabled"`
	Next     string   `json:"next"` // when it is due; empty when it is not
}

// Graph is the jobs and what depends on what.
type Graph struct {
	Nodes []Summary `json:"nodes"`
	Links []struct {
		Source string `json:"source"`
		Target string `json:"target"`
		Joined int    `json:"joined"` // successes of the source since the target last ran
	} `json:"links"`
}

// Stat is how long a job takes, in milliseconds, and its last runs.
type Stat struct {
	Histogram map[string]float64 `json:"histogram"`
	Tasks     []struct {
		Task     string  `json:"taskId"`
		Agent    string  `json:"slaveId"`
		Status   string  `json:"status"`
		Duration float64 `json:"duration"`
		Elements int64   `json:"numElementsProcessed"`
	} `json:"taskStatHistory"`
}

// Figure is a statistic of one job, in milliseconds.
type Figure struct {
	Job  string  `json:"jobNameLabel"`
	Time float64 `json:"time"`
}

// Runs are those of a job. Times are empty, or in RFC 3339.
type Runs struct {
	Name    string    `json:"name"`
	Active  []Active  `json:"active"`
	History []Attempt `json:"history"` // newest first
}

// Active is a run that has not ended.
type Active struct {
	Task      string   `json:"task"`
	Due       string   `json:"due"`
	Phase     string   `json:"phase"`
	Attempt   int      `json:"attempt"`
	Began     string   `json:"began"`
	Manual    bool     `json:"manual"`
	Arguments string   `json:"arguments"`
	Elements  int64    `json:"numElementsProcessed"`
	Waiting   []string `json:"waiting"`
}

// Attempt is one that has ended.
type Attempt struct {
	Task    string `json:"task"`
	Due     string `json:"due"`
	Began   string `json:"began"`
	Ended   string `json:"ended"`
	Outcome string `json:"outcome"`
	Exit    int    `json:"exitCode"`
	Agent   string `json:"agent"`
	Message string `json:"message"`
	Logs    *struct {
		Stdout string `json:"stdout"`
		Stderr string `json:"stderr"`
	} `json:"logs"`
}

// Next is when a job or a schedule is due.
type Next struct {
	Schedule string `json:"schedule"`
	Zone     string `json:"scheduleTimeZone"`
	Disabled bool   `json:"disabled"`
	Next     []struct {
		Time  string `json:"time"`
		Local string `json:"local"`
		Note  string `json:"note"`
	} `json:"next"`
}

// Why is why a job does not run now.
type Why struct {
	State   string   `json:"state"`
	Reasons []string `json:"reasons"`
	// Dependents are the jobs that wait for this one.
	Dependents []string `json:"dependents"`
}

// Event is what happens to a job or one of its runs.
type Event struct {
	ID      string   `json:"-"` // Follow goes on behind it
	Kind    string   `json:"event"`
	Job     string   `json:"job"`
	Time    string   `json:"time"`
	Run     *Active  `json:"run"`
	Attempt *Attempt `json:"attempt"`
	Summary *Summary `json:"summary"`
}
