package wire

import "troupe/frameworks/service/app"

// Task is a task of an app (A.17). Lists are there even if they are empty: set
// them to empty ones rather than nil.
type Task struct {
	AppID         app.Path       `json:"appId"`
	ID            string         `json:"id"`
	Host          string         `json:"host"`
	Ports         []int          `json:"ports"` // of the host, in the order of their definition
	ServicePorts  []int          `json:"servicePorts"`
	IPAddresses   []IPAddress    `json:"ipAddresses"`
	AgentID       string         `json:"slaveId"`
	State         string         `json:"state"` // as in TASK_RUNNING
	StagedAt      string         `json:"stagedAt,omitempty"`
	StartedAt     string         `json:"startedAt,omitempty"`
	Version       string         `json:"version"`
	HealthResults []HealthResult `json:"healthCheckResults,omitempty"`
	CheckResult   *CheckResult   `json:"checkResult,omitempty"` // only with a check
	LocalVolumes  []LocalVolume  `json:"localVolumes"`
	Region        string         `json:"region,omitempty"`
	Zone          string         `json:"zone,omitempty"`
	Role          string         `json:"role,omitempty"`
}

// NewTask is a task with its lists made.
func NewTask(id string, of *app.App) Task {
	return Task{
		AppID: of.ID, ID: id, Version: of.Version.String(), Role: of.Role,
		Ports: []int{}, ServicePorts: of.ServicePorts(), IPAddresses: []IPAddress{}, LocalVolumes: []LocalVolume{},
	}
}

// IPAddress that a task is reached at.
type IPAddress struct {
	Address  string `json:"ipAddress"`
	Protocol string `json:"protocol"` // IPv4 or IPv6
}

// LocalVolume is a persistent volume of a task.
type LocalVolume struct {
	AppID         app.Path `json:"runSpecId"`
	ContainerPath string   `json:"containerPath"`
	UUID          string   `json:"uuid"`
	PersistenceID string   `json:"persistenceId"`
}

// HealthResult is what a health check of a task found. Clients of two ages read
// the task's id under two keys.
type HealthResult struct {
	Alive            bool   `json:"alive"` // it last succeeded after it last failed
	ConsecutiveFails int    `json:"consecutiveFailures"`
	FirstSuccess     string `json:"firstSuccess,omitempty"`
	LastSuccess      string `json:"lastSuccess,omitempty"`
	LastFailure      string `json:"lastFailure,omitempty"`
	LastFailureCause string `json:"lastFailureCause,omitempty"`
	TaskID           string `json:"taskId"`
	InstanceID       string `json:"instanceId"`
}

// CheckResult is what the check of a task found; one of them is set.
type CheckResult struct {
	HTTP    *HTTPResult    `json:"http,omitempty"`
	TCP     *TCPResult     `json:"tcp,omitempty"`
	Command *CommandResult `json:"command,omitempty"`
}

// HTTPResult has the status of the answer.
type HTTPResult struct {
	StatusCode int `json:"statusCode"`
}

// TCPResult tells whether it could connect.
type TCPResult struct {
	Succeeded bool `json:"succeeded"`
}

// CommandResult has the code that the command ended with.
type CommandResult struct {
	ExitCode int `json:"exitCode"`
}

// ReadinessResult is the last answer to a readiness check.
type ReadinessResult struct {
	Name         string             `json:"name"`
	TaskID       string             `json:"taskId"`
	Ready        bool               `json:"ready"`
	LastResponse *ReadinessResponse `json:"lastResponse,omitempty"`
}

// ReadinessResponse is what the task answered.
type ReadinessResponse struct {
	Status      int    `json:"status"`
	ContentType string `json:"contentType"`
	Body        string `json:"body"`
}

// TaskFailure is how a task of an app last ended.
type TaskFailure struct {
	AppID     app.Path `json:"appId"`
	Host      string   `json:"host"`
	Message   string   `json:"message"`
	State     string   `json:"state"`
	TaskID    string   `json:"taskId"`
	Timestamp string   `json:"timestamp"`
	Version   string   `json:"version"`
	AgentID   string   `json:"slaveId,omitempty"`
}

// AppInfo is an app with what its instances do. Nil is left out, but an empty list
// is written.
type AppInfo struct {
	App
	*Counts
	Deployments      []Ref             `json:"deployments,omitzero"`
	Tasks            []Task            `json:"tasks,omitzero"`
	ReadinessResults []ReadinessResult `json:"readinessCheckResults,omitzero"`
	LastTaskFailure  *TaskFailure      `json:"lastTaskFailure,omitempty"`
	TaskStats        *TaskStats        `json:"taskStats,omitempty"`
}

// Counts of an app's tasks (A.8).
type Counts struct {
	Staged    int `json:"tasksStaged"`
	Running   int `json:"tasksRunning"`
	Healthy   int `json:"tasksHealthy"`
	Unhealthy int `json:"tasksUnhealthy"`
}

// Ref names something by its id.
type Ref struct {
	ID string `json:"id"`
}

// TaskStats sums up an app's tasks by how old they are; nil for none.
type TaskStats struct {
	AfterScaling *Stats `json:"startedAfterLastScaling,omitempty"`
	Latest       *Stats `json:"withLatestConfig,omitempty"`
	Outdated     *Stats `json:"withOutdatedConfig,omitempty"`
	Total        *Stats `json:"totalSummary,omitempty"`
}

// Stats of tasks.
type Stats struct {
	Stats StatsOf `json:"stats"`
}

// StatsOf is what Stats holds.
type StatsOf struct {
	Counts   StatsCounts `json:"counts"`
	LifeTime *LifeTime   `json:"lifeTime,omitempty"` // of those that run
}

// StatsCounts are tasks by what they do.
type StatsCounts struct {
	Staged    int `json:"staged"`
	Running   int `json:"running"`
	Healthy   int `json:"healthy"`
	Unhealthy int `json:"unhealthy"`
}

// LifeTime is for how long tasks have been running, in seconds.
type LifeTime struct {
	Average float64 `json:"averageSeconds"`
	Median  float64 `json:"medianSeconds"`
}
