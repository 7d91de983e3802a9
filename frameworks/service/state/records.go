package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// What is kept:
//
//	agent/ID          agentRecord, of one with instances
//	app/PATH@VERSION  each version of an app, as package wire writes it
//	at/PATH           the version of an app in the oldest root
//	deployment/ID     deployment, while it is not done
//	fate/PATH         fate
//	group/PATH        groupRecord of a group in the oldest root
//	instance/ID       instanceRecord, from before its launch
//	root/VERSION      rootRecord: what a root changed of the one before it
const (
	agentKey      = "agent/"
	appKey        = "app/"
	atKey         = "at/"
	deploymentKey = "deployment/"
	fateKey       = "fate/"
	groupKey      = "group/"
	instanceKey   = "instance/"
	rootKey       = "root/"
)

type agentRecord struct {
	Hostname   string
	Region     string    `json:",omitempty"`
	Zone       string    `json:",omitempty"`
	Attributes [][]byte  `json:",omitempty"` // mesos.Attribute
	Owed       time.Time `json:",omitzero"`
}

// groupRecord is what is a group's own.
type groupRecord struct {
	Version      app.Version
	Dependencies []app.Path `json:",omitempty"`
	EnforceRole  *bool      `json:",omitempty"`
}

func recordGroup(g *app.Group) *groupRecord {
	if g == nil {
		return nil
	}
	return &groupRecord{g.Version, g.Dependencies, g.EnforceRole}
}

// rootRecord is what a root changed: versions of apps, 0 of one that it removed,
// and groups, nil of one that it removed.
type rootRecord struct {
	Apps   map[app.Path]app.Version  `json:",omitempty"`
	Groups map[app.Path]*groupRecord `json:",omitempty"`
}

func versionKey(a *app.App) string {
	return appKey + string(a.ID) + "@" + strconv.FormatInt(int64(a.Version), 10)
}

// rootVersionKey sorts as versions do.
func rootVersionKey(v app.Version) string { return fmt.Sprintf("%s%016d", rootKey, v) }

// dirty is what has changed and is not written, or not shown, or not thought
// about.
type dirty struct {
	agents      map[string]bool
	versions    []*app.App // new ones
	dropped     []*app.App // versions that go
	deployments map[string]*deployment
	fates       map[app.Path]*service
	instances   map[string]*instance // nil: gone
	roots       []*app.Group         // new ones
	base        map[string]any       // records of the oldest root, by key; nil: gone

	touched []*service
	views   map[app.Path]*service
	shy     map[app.Path]*service // to be shown soon
	shown   map[app.Path]bool     // of which the read side knows
	root    bool                  // and its history
	alarm   alarm
	// allDeployments: the list of deployments has changed; late: it is to be shown
	// soon.
	allDeployments, late bool
}

func newDirty() dirty {
	return dirty{
		agents: map[string]bool{}, deployments: map[string]*deployment{}, fates: map[app.Path]*service{},
		instances: map[string]*instance{}, base: map[string]any{}, views: map[app.Path]*service{}, shy: map[app.Path]*service{}, shown: map[app.Path]bool{},
	}
}

func (d *dirty) view(s *service) { d.views[s.id] = s }

// later has an app be shown soon; true is the first one that is.
func (d *dirty) later(s *service) bool {
	if d.views[s.id] == nil {
		d.shy[s.id] = s
	}
	return d.alarm.at.IsZero()
}

// waits has deployments be shown soon, since what they wait for may have changed.
func (d *dirty) waits(m *Machine) {
	d.late = true
	if d.alarm.at.IsZero() {
		m.alarms.set(&d.alarm, m.now.Add(soon))
	}
}

// freshen has all that is shown late be shown.
func (d *dirty) freshen() {
	maps.Copy(d.views, d.shy)
	empty(&d.shy)
	d.allDeployments = d.allDeployments || d.late
	d.late = false
}

// rebase makes the root base the oldest, in place of gone.
func (d *dirty) rebase(gone, base *app.Group) {
	d.base[rootVersionKey(base.Version)] = nil
	r := difference(gone, base)
	for id, v := range r.Apps {
		if d.base[atKey+string(id)] = v; v == 0 {
			d.base[atKey+string(id)] = nil
		}
	}
	for id, g := range r.Groups {
		if d.base[groupKey+string(id)] = g; g == nil {
			d.base[groupKey+string(id)] = nil
		}
	}
}

// difference is what next changes of old.
func difference(old, next *app.Group) rootRecord {
	r := rootRecord{Apps: map[app.Path]app.Version{}, Groups: map[app.Path]*groupRecord{}}
	for _, d := range rollout.Differences(old, next) {
		if r.Apps[d.ID] = 0; d.New != nil {
			r.Apps[d.ID] = d.New.Version
		}
	}
	rollout.Groups(old, next, func(was, is *app.Group) {
		if is == nil {
			r.Groups[was.ID] = nil
		} else {
			r.Groups[is.ID] = recordGroup(is)
		}
	})
	return r
}

// batch collects records.
type batch struct {
	changes []Change
	err     error
}

func (b *batch) put(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("record %s: %w", key, err)
	}
	b.changes = append(b.changes, Change{key, text})
}

func (b *batch) remove(key string) { b.changes = append(b.changes, Change{Key: key}) }

// empty empties a map. One that was large is made anew: to go through it costs what
// it once held.
func empty[K comparable, V any](m *map[K]V) {
	if len(*m) > 100 {
		*m = map[K]V{}
	} else {
		clear(*m)
	}
}

// records are all that has changed since they were last asked for.
func (m *Machine) records() ([]Change, error) {
	d, b := &m.dirty, batch{}
	for _, id := range slices.Sorted(maps.Keys(d.agents)) {
		if a := m.agents[id]; a != nil && a.stored {
			b.put(agentKey+id, recordAgent(a))
		} else {
			b.remove(agentKey + id)
		}
	}
	for _, a := range d.versions {
		text, err := wire.Encode(wire.FromApp(a))
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", versionKey(a), err)
		}
		b.changes = append(b.changes, Change{versionKey(a), text})
	}
	for _, a := range d.dropped {
		b.remove(versionKey(a))
	}
	for _, id := range slices.Sorted(maps.Keys(d.deployments)) {
		if x := d.deployments[id]; x != nil {
			b.put(deploymentKey+id, x)
		} else {
			b.remove(deploymentKey + id)
		}
	}
	m.recordFates(&b)
	for _, id := range slices.Sorted(maps.Keys(d.instances)) {
		if i := d.instances[id]; i != nil {
			b.put(instanceKey+id, i.record())
		} else {
			b.remove(instanceKey + id)
		}
	}
	m.recordRoots(&b)
	empty(&d.agents)
	empty(&d.deployments)
	empty(&d.instances)
	d.versions, d.dropped = nil, nil
	return b.changes, b.err
}

func (m *Machine) recordFates(b *batch) {
	for _, id := range slices.Sorted(maps.Keys(m.dirty.fates)) {
		if f := m.dirty.fates[id].fate; f != (fate{}) {
			b.put(fateKey+string(id), f)
		} else {
			b.remove(fateKey + string(id))
		}
	}
	empty(&m.dirty.fates)
}

// recordRoots writes what new roots changed, and the oldest one. A root that has
// become the oldest is not written as a change.
func (m *Machine) recordRoots(b *batch) {
	d := &m.dirty
	for _, next := range d.roots {
		at := slices.Index(m.roots, next)
		if at > 0 {
			b.put(rootVersionKey(next.Version), difference(m.roots[at-1], next))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.base)) {
		if value := d.base[key]; value != nil {
			b.put(key, value)
		} else {
			b.remove(key)
		}
	}
	clear(d.base)
	d.roots = nil
}

func recordAgent(a *agent) agentRecord {
	r := agentRecord{Hostname: a.host.Hostname, Region: a.host.Region, Zone: a.host.Zone, Owed: a.owed}
	for _, x := range a.host.Attributes {
		if text, err := (proto.MarshalOptions{Deterministic: true}).Marshal(x); err == nil { // what was received can be sent
			r.Attributes = append(r.Attributes, text)
		}
	}
	return r
}

func (r *agentRecord) agent() (*agent, error) {
	a := &agent{stored: true}
	a.host.Hostname, a.host.Region, a.host.Zone = r.Hostname, r.Region, r.Zone
	for _, text := range r.Attributes {
		x := &mesos.Attribute{}
		if err := proto.Unmarshal(text, x); err != nil {
			return nil, err
		}
		a.host.Attributes = append(a.host.Attributes, x)
	}
	return a, nil
}

// cutVersion reads "PATH@VERSION".
func cutVersion(text string) (app.Path, app.Version, error) {
	path, number, _ := strings.Cut(text, "@")
	v, err := strconv.ParseInt(number, 10, 64)
	return app.Path(path), app.Version(v), err
}
