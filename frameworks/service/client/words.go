package client

import "encoding/json"

// App is an app with what became of it, as far as most who ask care; Raw is all of
// it. Counts, Tasks, Deployments and the last failure are there if they were asked
// for.
type App struct {
	ID          string            `json:"id"`
	Command     string            `json:"cmd"`
	Instances   int               `json:"instances"`
	Labels      map[string]string `json:"labels"`
	Version     string            `json:"version"`
	Ports       []int             `json:"ports"` // service ports
	Staged      int               `json:"tasksStaged"`
	Running     int               `json:"tasksRunning"`
	Healthy     int               `json:"tasksHealthy"`
	Unhealthy   int               `json:"tasksUnhealthy"`
	Deployments []Ref             `json:"deployments"`
	Tasks       []Task            `json:"tasks"`
	LastFailure *Failure          `json:"lastTaskFailure"`

	Raw json.RawMessage `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *App) UnmarshalJSON(data []byte) error {
	type plain App
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return err
	}
	a.Raw = append(json.RawMessage{}, data...)
	return nil
}

// Ref names something by its id.
type Ref struct {
	ID string `json:"id"`
}

// Task of an app.
type Task struct {
	App          string    `json:"appId"`
	ID           string    `json:"id"`
	Host         string    `json:"host"`
	Ports        []int     `json:"ports"`
	ServicePorts []int     `json:"servicePorts"`
	Addresses    []Address `json:"ipAddresses"`
	Agent        string    `json:"slaveId"`
	State        string    `json:"state"`
	StagedAt     string    `json:"stagedAt"`
	StartedAt    string    `json:"startedAt"`
	Version      string    `json:"version"`
	Health       []Health  `json:"healthCheckResults"`
}

// Address that a task is reached at.
type Address struct {
	IP       string `json:"ipAddress"`
	Protocol string `json:"protocol"`
}

// Health is what a health check found.
type Health struct {
	Alive    bool   `json:"alive"`
	Failures int    `json:"consecutiveFailures"`
	Cause    string `json:"lastFailureCause"`
	TaskID   string `json:"taskId"`
}

// Failure is how a task last ended.
type Failure struct {
	Task    string `json:"taskId"`
	Host    string `json:"host"`
	State   string `json:"state"`
	Message string `json:"message"`
	At      string `json:"timestamp"`
}

// Group is a group with all that is in it.
type Group struct {
	ID           string   `json:"id"`
	Apps         []App    `json:"apps"`
	Groups       []Group  `json:"groups"`
	Dependencies []string `json:"dependencies"`
	Version      string   `json:"version"`
}

// Result of a change: the version of the root, and what carries it out.
type Result struct {
	Version      string `json:"version"`
	DeploymentID string `json:"deploymentId"`
}

// Plan is what a change would do.
type Plan struct {
	Steps []Step `json:"steps"`
	// Changes are not there with Marathon.
	Changes []AppChange `json:"changes"`
}

// Step is what is done at once.
type Step struct {
	Actions []Action `json:"actions"`
}

// Action on an app, as in ScaleApplication.
type Action struct {
	Action string `json:"action"`
	App    string `json:"app"`
}

// AppChange is what becomes of an app: created, removed, scaled, edited, replaced.
type AppChange struct {
	App    string        `json:"app"`
	Change string        `json:"change"`
	Fields []FieldChange `json:"fields"`
}

// FieldChange is a field that differs; null is not there.
type FieldChange struct {
	Path string          `json:"path"`
	Old  json.RawMessage `json:"old"`
	New  json.RawMessage `json:"new"`
}

// Deployment that is not done. Began, Paused and Progress are there if just one was
// asked for, and not with Marathon.
type Deployment struct {
	ID       string     `json:"id"`
	Version  string     `json:"version"`
	Apps     []string   `json:"affectedApps"`
	Steps    []Step     `json:"steps"`
	Current  int        `json:"currentStep"` // from 1
	Total    int        `json:"totalSteps"`
	Began    string     `json:"began"`
	Paused   bool       `json:"paused"`
	Progress []Progress `json:"progress"`
}

// Progress is that of one action of the current step.
type Progress struct {
	App    string `json:"app"`
	Action string `json:"action"`
	Done   bool   `json:"done"`
	Waits  string `json:"waits"`
}

// Queued is an app with instances that wait to be launched.
type Queued struct {
	App   App    `json:"app"`
	Count int    `json:"count"`
	Since string `json:"since"`
	Delay struct {
		TimeLeft int64 `json:"timeLeftSeconds"`
		Overdue  bool  `json:"overdue"`
	} `json:"delay"`
}

// Why tells why an app is not as it is to be.
type Why struct {
	App       string   `json:"app"`
	Instances int      `json:"instances"`
	Running   int      `json:"running"`
	Staged    int      `json:"staged"`
	Waiting   int      `json:"waiting"`
	Reasons   []string `json:"reasons"`
}
