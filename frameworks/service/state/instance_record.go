package state

import (
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/messages/mesos"
)

// instanceRecord is an instance as it is kept. What its checks found is not: that
// is asked for again.
type instanceRecord struct {
	App       app.Path
	Version   app.Version
	Task      string          `json:",omitempty"`
	State     mesos.TaskState `json:",omitempty"`
	Staged    time.Time
	Started   time.Time `json:",omitzero"`
	Agent     string
	Role      string                 `json:",omitempty"`
	Ports     []int                  `json:",omitempty"`
	Addresses []Address              `json:",omitempty"`
	Cut       time.Time              `json:",omitzero"`
	Held      *placement.Reservation `json:",omitempty"`
	Runs      int
	Age       int    // among the app's; smaller is older
	Flags     string `json:",omitempty"` // letters
}

// Flags of instances.
const (
	flagEnding = 'e'
	flagAway   = 'a'
	flagReady  = 'r'
	flagWiped  = 'w'
	flagIll    = 'i'
	flagLived  = 'l'
)

func (i *instance) record() *instanceRecord {
	var flags []rune
	for _, f := range []struct {
		is     bool
		letter rune
	}{{i.Ending, flagEnding}, {i.Away, flagAway}, {i.Ready, flagReady}, {i.wiped, flagWiped}, {i.ill, flagIll}, {i.lived, flagLived}} {
		if f.is {
			flags = append(flags, f.letter)
		}
	}
	return &instanceRecord{
		App: i.App, Version: i.Version, Task: i.Task, State: i.State, Staged: i.Staged, Started: i.Started,
		Agent: i.Agent, Role: i.Role, Ports: i.Ports, Addresses: i.Addresses, Cut: i.Unreachable, Held: i.held, Runs: i.runs, Age: i.age,
		Flags: string(flags),
	}
}

// instance is what was kept.
func (r *instanceRecord) instance(id string) *instance {
	i := &instance{
		Instance: Instance{
			ID: id, App: r.App, Version: r.Version, Task: r.Task, State: r.State, Staged: r.Staged, Started: r.Started,
			Place: Place{Agent: r.Agent, Role: r.Role, Ports: r.Ports, Addresses: r.Addresses}, Unreachable: r.Cut,
		},
		held: r.Held, runs: r.Runs, age: r.Age,
	}
	for _, f := range r.Flags {
		switch f {
		case flagEnding:
			i.Ending = true
		case flagAway:
			i.Away = true
		case flagReady:
			i.Ready = true
		case flagWiped:
			i.wiped = true
		case flagIll:
			i.ill = true
		case flagLived:
			i.lived = true
		}
	}
	if r.Held != nil {
		for _, v := range r.Held.Volumes {
			i.Volumes = append(i.Volumes, Volume(v))
		}
	}
	return i
}
