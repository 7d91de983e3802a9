package placement

import (
	"fmt"
	"slices"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Labels of reservations: whose they are. Tools that clean up after Marathon know
// them.
const (
	LabelFramework = "marathon_framework_id"
	LabelInstance  = "marathon_task_id"
)

// wantedVolume is a persistent volume of an app.
type wantedVolume struct {
	path    string
	kind    string
	size    resources.Milli
	most    resources.Milli // 0: no bound
	profile string
	rules   match.Constraints // on the disk's path
}

func (r *Recipe) wantVolumes() error {
	if r.app.Container == nil {
		return nil
	}
	for _, v := range r.app.Container.Volumes {
		d := v.Persistent
		if d == nil {
			continue
		}
		w := wantedVolume{path: v.Path, kind: d.Type, profile: d.Profile}
		var texts [][]string
		for _, c := range d.Constraints {
			texts = append(texts, c.Texts())
		}
		var err error
		if w.rules, err = match.Parse(texts); err != nil {
			return fmt.Errorf("volume %q: constraints: %w", v.Path, err)
		}
		if w.size, err = resources.MilliOf(float64(d.Size)); err != nil {
			return fmt.Errorf("volume %q: size: %w", v.Path, err)
		}
		if w.most, err = resources.MilliOf(float64(d.MaxSize)); err != nil {
			return fmt.Errorf("volume %q: maxSize: %w", v.Path, err)
		}
		if err := names.CheckID("id of the volume "+v.Path, volumeID(r.app.ID, v.Path, ID(r.app.ID, [16]byte{}))); err != nil {
			return err
		}
		r.volumes = append(r.volumes, w)
	}
	return nil
}

// settle reserves what a new instance with volumes wants, makes its volumes, and
// gives it all of that.
func (r *Recipe) settle(g *Ground, a Attempt) (taken, Refusal) {
	got, rest, bad := r.split(g.usable(r.accepts), a.Chance)
	if bad != nil {
		return got, bad
	}
	disks := g.left.Filter(func(e resources.Entry) bool {
		return plain(e) && e.Disk() != nil && e.Role() == names.AnyRole && r.accepts.unreserved
	})
	pool := rest.Add(disks)
	pieces := make([]resources.Resources, 0, len(r.volumes))
	for i := range r.volumes {
		piece, why := r.volumes[i].pick(pool)
		if why != nil {
			return taken{}, Refusal{*why}
		}
		pieces, pool = append(pieces, piece), pool.Without(piece)
	}
	all := got.task.Add(got.executor).Add(pieces...)
	reserve := r.reserving(g, a.ID)
	g.use(all)
	g.ops = append(g.ops, &mesos.Offer_Operation{
		Type:    mesos.Offer_Operation_RESERVE.Enum(),
		Reserve: &mesos.Offer_Operation_Reserve{Resources: all.Convert(reserve).Proto()},
	})
	got.task, got.executor = got.task.Convert(reserve), got.executor.Convert(reserve)
	got.reservation = &Reservation{Agent: g.offer.GetAgentId().GetValue()}
	var made resources.Resources
	for i, piece := range pieces {
		held := HeldVolume{Path: r.volumes[i].path, ID: volumeID(r.app.ID, r.volumes[i].path, a.ID)}
		got.reservation.Volumes = append(got.reservation.Volumes, held)
		made = made.Add(piece.Convert(reserve).Convert(r.making(held)))
	}
	g.create(made)
	got.task = got.task.Add(made)
	return got, nil
}

// resume gives an instance what is reserved for it. A volume that is not there,
// though what it is to be made of is, never came to be, and is made now.
func (r *Recipe) resume(g *Ground, a Attempt) (taken, Refusal) {
	mine := g.left.Filter(func(e resources.Entry) bool { return instanceOf(e, g.offer) == a.ID })
	if mine.IsEmpty() {
		return taken{}, no(wire.NoReservationFound, "nothing that is reserved for %s is offered", a.ID)
	}
	var volumes, pieces, made resources.Resources
	pool := mine.Filter(plain)
	for _, held := range a.Held.Volumes {
		if there := volume(mine, held.ID); !there.IsEmpty() {
			volumes = volumes.Add(there)
			continue
		}
		piece, ok := r.missing(pool, held)
		if !ok {
			return taken{}, no(wire.NoReservationFound, "the volume %s is not offered", held.ID)
		}
		pool, pieces = pool.Without(piece), pieces.Add(piece)
		made = made.Add(piece.Convert(r.making(held)))
	}
	got, _, bad := r.split(pool.Filter(func(e resources.Entry) bool { return e.Disk() == nil }), a.Chance)
	if bad != nil {
		return taken{}, bad
	}
	g.use(got.task.Add(got.executor, volumes, pieces))
	g.create(made)
	got.task = got.task.Add(volumes, made)
	got.reservation = a.Held
	return got, nil
}

// missing is what a volume can be made of once more.
func (r *Recipe) missing(pool resources.Resources, held HeldVolume) (resources.Resources, bool) {
	i := slices.IndexFunc(r.volumes, func(w wantedVolume) bool { return w.path == held.Path })
	if i < 0 {
		return resources.Resources{}, false
	}
	piece, why := r.volumes[i].pick(pool)
	return piece, why == nil
}

// volume is the volume of r that has an id.
func volume(r resources.Resources, id string) resources.Resources {
	return r.Filter(func(e resources.Entry) bool { return e.Disk().GetPersistence().GetId() == id })
}

// pick is what a volume can be made of. Of whole disks it is the smallest that
// will do.
func (w *wantedVolume) pick(pool resources.Resources) (resources.Resources, *Why) {
	var best resources.Resources
	found, largest := false, resources.Milli(0)
	for e := range pool.All() {
		if !w.fits(e) {
			continue
		}
		largest = max(largest, e.Amount())
		if e.Amount() < w.size || w.kind == app.DiskMount && w.most > 0 && e.Amount() > w.most {
			continue
		}
		if found && (w.kind != app.DiskMount || e.Amount() >= best.Scalar(resources.Disk)) {
			continue
		}
		piece, err := resources.New(e.Proto())
		if err != nil {
			continue // no entry is malformed
		}
		if w.kind != app.DiskMount {
			piece = piece.Shrink(func(resources.Entry) resources.Milli { return w.size })
		}
		best, found = piece, true
	}
	if !found {
		return best, &Why{Reason: wire.InsufficientDisk, Wanted: w.size, Has: largest, text: fmt.Sprintf(
			"wants a %s disk of %s MiB for the volume %s, the largest offered has %s", w.kind, w.size, w.path, largest)}
	}
	return best, nil
}

// fits tells whether e is a disk of the kind.
func (w *wantedVolume) fits(e resources.Entry) bool {
	if e.Name() != resources.Disk || e.Kind() != mesos.Value_SCALAR {
		return false
	}
	s := e.Disk().GetSource()
	switch w.kind {
	case app.DiskRoot:
		return e.Disk() == nil
	case app.DiskPath:
		return s.GetType() == mesos.Resource_DiskInfo_Source_PATH && s.GetProfile() == w.profile && w.at(s.GetPath().GetRoot())
	case app.DiskMount:
		return s.GetType() == mesos.Resource_DiskInfo_Source_MOUNT && s.GetProfile() == w.profile && w.at(s.GetMount().GetRoot())
	}
	return false
}

// at tells whether a disk may be there.
func (w *wantedVolume) at(path string) bool {
	if len(w.rules) == 0 {
		return true
	}
	h := match.Host{Attributes: []*mesos.Attribute{{
		Name: new("path"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: &path},
	}}}
	return w.rules.Spread(nil, nil).Check(h) == nil
}

// reserving marks resources as kept for an instance.
func (r *Recipe) reserving(g *Ground, instance string) func(*mesos.Resource) {
	info := &mesos.Resource_ReservationInfo{
		Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &r.role,
		Labels: &mesos.Labels{Labels: []*mesos.Label{
			{Key: new(LabelFramework), Value: new(g.offer.GetFrameworkId().GetValue())},
			{Key: new(LabelInstance), Value: &instance},
		}},
	}
	if r.settings.Principal != "" {
		info.Principal = &r.settings.Principal
	}
	return func(m *mesos.Resource) { m.Reservations = append(slices.Clone(m.Reservations), info) }
}

// making marks reserved disk as a volume.
func (r *Recipe) making(v HeldVolume) func(*mesos.Resource) {
	return func(m *mesos.Resource) {
		p := &mesos.Resource_DiskInfo_Persistence{Id: &v.ID}
		if r.settings.Principal != "" {
			p.Principal = &r.settings.Principal
		}
		m.Disk = &mesos.Resource_DiskInfo{
			Persistence: p, Source: m.GetDisk().GetSource(),
			Volume: &mesos.Volume{ContainerPath: &v.Path, Mode: mesos.Volume_RW.Enum()},
		}
	}
}

func (g *Ground) create(volumes resources.Resources) {
	if volumes.IsEmpty() {
		return
	}
	g.ops = append(g.ops, &mesos.Offer_Operation{
		Type:   mesos.Offer_Operation_CREATE.Enum(),
		Create: &mesos.Offer_Operation_Create{Volumes: volumes.Proto()},
	})
}

// instanceOf is the instance of the offer's framework that e is reserved for, ""
// if there is none.
func instanceOf(e resources.Entry, o *mesos.Offer) string {
	stack := e.Reservations()
	if len(stack) == 0 {
		return ""
	}
	framework, instance := "", ""
	for _, l := range stack[len(stack)-1].GetLabels().GetLabels() {
		switch l.GetKey() {
		case LabelFramework:
			framework = l.GetValue()
		case LabelInstance:
			instance = l.GetValue()
		}
	}
	if framework != o.GetFrameworkId().GetValue() {
		return ""
	}
	return instance
}

// Release gives back what is reserved for instances that keep does not know any
// more, with their volumes and the data on them. It returns which they are, in
// order, each once.
func (g *Ground) Release(keep func(instance string) bool) []string {
	var released []string
	gone := g.left.Filter(func(e resources.Entry) bool {
		id := instanceOf(e, g.offer)
		if id == "" || keep(id) {
			return false
		}
		released = append(released, id)
		return true
	})
	if gone.IsEmpty() {
		return nil
	}
	g.use(gone)
	if volumes := gone.Filter(func(e resources.Entry) bool { return e.Disk().GetPersistence() != nil }); !volumes.IsEmpty() {
		g.ops = append(g.ops, &mesos.Offer_Operation{
			Type:    mesos.Offer_Operation_DESTROY.Enum(),
			Destroy: &mesos.Offer_Operation_Destroy{Volumes: volumes.Proto()},
		})
	}
	g.ops = append(g.ops, &mesos.Offer_Operation{
		Type:      mesos.Offer_Operation_UNRESERVE.Enum(),
		Unreserve: &mesos.Offer_Operation_Unreserve{Resources: gone.Convert(destroyed).Proto()},
	})
	slices.Sort(released)
	return slices.Compact(released)
}

// destroyed makes of a volume the disk it was made of.
func destroyed(m *mesos.Resource) {
	if m.GetDisk().GetPersistence() == nil {
		return
	}
	source := m.GetDisk().GetSource()
	if m.Disk = nil; source != nil {
		m.Disk = &mesos.Resource_DiskInfo{Source: source}
	}
}
