package frameworks

import (
	"fmt"
	"os/user"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"troupe/actors"
	"troupe/master/detector"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Capability is what a framework understands beyond the oldest protocol.
type Capability = mesos.FrameworkInfo_Capability_Type

// Options say who the framework is. Master and Name are needed.
type Options struct {
	// Master says where the masters are: host:port, several with commas between,
	// zk://[user:password@]host:port,…/path, or file:///path of a file that holds
	// one of these.
	Master string
	// Detector, if not nil, finds the leading master instead.
	Detector Detector
	// Name is for people.
	Name string
	// User runs the tasks that name none; empty means the one of this process.
	User string
	// Roles are what resources are offered for; empty means "*". More than one
	// needs no capability to be named.
	Roles []string
	// Suppressed: nothing is to be offered before Driver.Revive asks for it.
	Suppressed bool
	// Principal is who the framework is to authorizers.
	Principal string
	// WebUI is a URL for people.
	WebUI string
	// Capabilities beside PARTITION_AWARE and TASK_KILLING_STATE.
	Capabilities []Capability
	// FailoverTimeout is how long the master keeps the tasks of a framework that
	// is not connected. 0 means not at all: for those that end with this process.
	FailoverTimeout time.Duration
	// Forgettable leaves the tasks out of the agents' checkpoints: they do not
	// outlive their agent's process.
	Forgettable bool
	// Patience is how long the first subscription may take; Run fails then. 0
	// means for ever, as for services that may be started before their master;
	// for RunTasks it means 10 s.
	Patience time.Duration
	// Store keeps the framework id; nil means that every Run is a new framework.
	Store Store
	// Seed is the chance for the waits that are drawn: equal seeds draw equally. 0
	// is another one with every Run.
	Seed uint64
	// Edit, if not nil, has the last word on the FrameworkInfo.
	Edit func(*mesos.FrameworkInfo)
	// Logger is nil for silence.
	Logger *zap.Logger
	// Collectors of the scheduler's own figures. They are shown, with those of the
	// process and its actors, at /frameworks/ID/metrics of the leading master, and
	// at /metrics of the scheduler if it listens.
	Collectors []prometheus.Collector
	// HTTP, if not nil, takes the master's scheduler API over HTTP in the place of
	// actors: &HTTP{} is all that is needed.
	HTTP *HTTP
	// System is for the scheduler's actor system: TLS, credentials, where to
	// listen. By default it does not listen and dials the master.
	System actors.Options
}

// detector is what Master names, unless there is one; close ends the former.
func (o Options) detector() (d Detector, end func() error, err error) {
	if o.Detector != nil {
		return o.Detector, func() error { return nil }, nil
	}
	if o.Master == "" {
		return nil, nil, field.Missing("master")
	}
	secure := o.System.TLS
	if o.HTTP != nil && o.HTTP.TLS != nil {
		secure = o.HTTP.TLS
	}
	found, err := detector.Open(o.Master, detector.Options{TLS: secure, Logger: o.Logger})
	if err != nil {
		return nil, nil, field.In("master", err)
	}
	return found, found.Close, nil
}

// info is the framework as it subscribes; id may be empty.
func (o Options) info(id string) (*mesos.FrameworkInfo, error) {
	if o.Name == "" {
		return nil, field.Missing("name")
	}
	if o.Patience < 0 {
		return nil, field.Invalid("patience", o.Patience, "is negative")
	}
	if o.FailoverTimeout < 0 {
		return nil, field.Invalid("failover timeout", o.FailoverTimeout, "is negative")
	}
	f := &mesos.FrameworkInfo{Name: &o.Name, User: &o.User, Checkpoint: new(!o.Forgettable)}
	if o.User == "" {
		u, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("user of this process: %w", err)
		}
		f.User = &u.Username
	}
	for i, r := range o.Roles {
		if err := names.CheckRole("", r); err != nil {
			return nil, field.At("roles", i, err)
		}
	}
	if len(o.Roles) > 0 {
		f.Roles = o.Roles
		o.Capabilities = append([]Capability{mesos.FrameworkInfo_Capability_MULTI_ROLE}, o.Capabilities...)
	}
	f.Capabilities = capabilities(o.Capabilities)
	if o.FailoverTimeout > 0 {
		f.FailoverTimeout = new(o.FailoverTimeout.Seconds())
	}
	if o.Principal != "" {
		f.Principal = &o.Principal
	}
	if o.WebUI != "" {
		f.WebuiUrl = &o.WebUI
	}
	if id != "" {
		f.Id = &mesos.FrameworkID{Value: &id}
	}
	if o.Edit != nil {
		o.Edit(f)
	}
	return f, nil
}

func capabilities(more []Capability) []*mesos.FrameworkInfo_Capability {
	var list []*mesos.FrameworkInfo_Capability
	seen := map[Capability]bool{}
	for _, c := range append([]Capability{
		mesos.FrameworkInfo_Capability_PARTITION_AWARE, mesos.FrameworkInfo_Capability_TASK_KILLING_STATE,
	}, more...) {
		if !seen[c] {
			seen[c] = true
			list = append(list, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
		}
	}
	return list
}
