package wire

import (
	"errors"

	"troupe/frameworks/service/app"
)

// Message is the body of most refusals.
type Message struct {
	Message string `json:"message"`
}

// Locked is the body of a conflict with deployments.
type Locked struct {
	Message     string `json:"message"`
	Deployments []Ref  `json:"deployments"`
}

// NewLocked names the deployments in the way.
func NewLocked(ids ...string) Locked {
	l := Locked{
		Message: "App is locked by one or more deployments. Override with the option '?force=true'. " +
			"View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
		Deployments: []Ref{},
	}
	for _, id := range ids {
		l.Deployments = append(l.Deployments, Ref{id})
	}
	return l
}

// Refusal is the body of an answer to what could not be read or accepted. Details
// is a text, or a list of Detail.
type Refusal struct {
	Message string `json:"message"`
	Details any    `json:"details,omitempty"`
}

// Detail is all that is wrong with one field.
type Detail struct {
	Path   string   `json:"path"`
	Errors []string `json:"errors"`
}

// Refuse is the status and body for an error of this package's readers, in Details
// every field once, in the order in which they were found. ok is false for any
// other error.
func Refuse(err error) (status int, body Refusal, ok bool) {
	var unreadable *UnreadableError
	var invalid app.Problems
	switch {
	case errors.As(err, &unreadable) && len(unreadable.Wrong) > 0:
		return 400, Refusal{"Invalid JSON", details(unreadable.Wrong)}, true
	case errors.As(err, &unreadable):
		return 400, Refusal{"Invalid JSON", unreadable.Text}, true
	case errors.As(err, &invalid):
		return 422, Refusal{"Object is not valid", details(invalid)}, true
	}
	return 0, Refusal{}, false
}

func details(problems app.Problems) []Detail {
	list := []Detail{}
	at := map[string]int{}
	for _, p := range problems {
		i, found := at[p.Path]
		if !found {
			i = len(list)
			at[p.Path] = i
			list = append(list, Detail{Path: p.Path})
		}
		list[i].Errors = append(list[i].Errors, p.Text)
	}
	return list
}

// Envelopes of answers (A.19): which key what is in.
type (
	// AppAnswer is one app.
	AppAnswer struct {
		App *AppInfo `json:"app"`
	}
	// AppsAnswer is a list of apps.
	AppsAnswer struct {
		Apps []*AppInfo `json:"apps"`
	}
	// BelowAnswer is all apps below a path.
	BelowAnswer struct {
		Apps []*AppInfo `json:"*"`
	}
	// TaskAnswer is one task.
	TaskAnswer struct {
		Task Task `json:"task"`
	}
	// TasksAnswer is a list of tasks.
	TasksAnswer struct {
		Tasks []Task `json:"tasks"`
	}
	// VersionsAnswer is the versions of an app, newest first. Those of a group
	// are a bare list.
	VersionsAnswer struct {
		Versions []string `json:"versions"`
	}
	// StepsAnswer is what a change would do (dryRun).
	StepsAnswer struct {
		Steps []Step `json:"steps"`
	}
	// LeaderAnswer is who leads, as host:port.
	LeaderAnswer struct {
		Leader string `json:"leader"`
	}
)

// Versions prints versions.
func Versions(list []app.Version) []string {
	texts := make([]string, 0, len(list))
	for _, v := range list {
		texts = append(texts, v.String())
	}
	return texts
}

// Info is GET /v2/info. Strict clients know no other keys; Config holds only such
// of marathon_config.
type Info struct {
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	BuildRef    string         `json:"buildref"`
	Elected     bool           `json:"elected"`
	Leader      string         `json:"leader,omitempty"`
	FrameworkID string         `json:"frameworkId,omitempty"`
	Config      Config         `json:"marathon_config"`
	ZooKeeper   map[string]any `json:"zookeeper_config"`
	HTTP        HTTPConfig     `json:"http_config"`
}

// HTTPConfig tells where the API is.
type HTTPConfig struct {
	HTTPPort  int `json:"http_port"`
	HTTPSPort int `json:"https_port"`
}

// Config is how the framework was started. Times are in milliseconds.
type Config struct {
	Master           string   `json:"master"`
	FailoverTimeout  int64    `json:"failover_timeout"` // seconds
	FrameworkName    string   `json:"framework_name"`
	HA               bool     `json:"ha"`
	Checkpoint       bool     `json:"checkpoint"`
	LocalPortMin     int      `json:"local_port_min"`
	LocalPortMax     int      `json:"local_port_max"`
	Executor         string   `json:"executor"`
	Hostname         string   `json:"hostname"`
	WebUI            string   `json:"webui_url,omitempty"`
	Role             string   `json:"mesos_role,omitempty"`
	User             string   `json:"mesos_user,omitempty"`
	DefaultNetwork   string   `json:"default_network_name,omitempty"`
	EnvPrefix        string   `json:"env_vars_prefix,omitempty"`
	Features         []string `json:"features"`
	LaunchTimeout    int64    `json:"task_launch_timeout"`
	ReconcileEvery   int64    `json:"reconciliation_interval"`
	InstancesInOffer int      `json:"max_instances_per_offer,omitempty"`
}
