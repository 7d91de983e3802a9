package placement

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

const principal = "marathon"

// db is an app with a volume of each kind.
func db(kinds ...string) *app.App {
	a := web()
	a.ID, a.Ports = "/db", a.Ports[:1]
	a.Container = &app.Container{Type: app.Mesos}
	for _, kind := range kinds {
		a.Container.Volumes = append(a.Container.Volumes, app.Volume{
			Path: kind + "-data", Mode: app.ReadWrite, Persistent: &app.Persistent{Type: kind, Size: 100},
		})
	}
	return a
}

// disk is a disk of its own.
func disk(kind mesos.Resource_DiskInfo_Source_Type, root string, size float64) *mesos.Resource {
	s := &mesos.Resource_DiskInfo_Source{Type: &kind}
	if kind == mesos.Resource_DiskInfo_Source_PATH {
		s.Path = &mesos.Resource_DiskInfo_Source_Path{Root: &root}
	} else {
		s.Mount = &mesos.Resource_DiskInfo_Source_Mount{Root: &root}
	}
	return &mesos.Resource{
		Name: proto.String(resources.Disk), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &size},
		Disk:           &mesos.Resource_DiskInfo{Source: s},
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("web")},
	}
}

// carryOut is what becomes of an offer's resources by operations, as the master
// and the agent see it, and the tasks that are launched. What tasks have is gone.
func carryOut(t rapid.TB, o *mesos.Offer, ops []*mesos.Offer_Operation) (rest resources.Resources, tasks []*mesos.TaskInfo) {
	t.Helper()
	all, err := resources.New(o.GetResources()...)
	if err != nil {
		t.Fatal(err)
	}
	all = all.Unallocate()
	c := operations.Case{
		Framework: &mesos.FrameworkInfo{Roles: []string{"web"}}, Role: "web", Principal: principal, Total: all,
		Agent: []mesos.AgentInfo_Capability_Type{mesos.AgentInfo_Capability_RESERVATION_REFINEMENT, mesos.AgentInfo_Capability_HIERARCHICAL_ROLE},
	}
	for _, op := range ops {
		if op.GetType() != mesos.Offer_Operation_LAUNCH {
			if err := operations.Validate(op, c); err != nil {
				t.Fatalf("%s\n%v", err, op)
			}
			if all, err = operations.Apply(op, all); err != nil {
				t.Fatalf("%s\n%v", err, op)
			}
			continue
		}
		for _, task := range op.GetLaunch().GetTaskInfos() {
			tasks = append(tasks, task)
			for _, list := range [][]*mesos.Resource{task.GetResources(), task.GetExecutor().GetResources()} {
				need, err := resources.New(list...)
				if err != nil {
					t.Fatal(err)
				}
				if all, err = all.Subtract(need.Unallocate()); err != nil {
					t.Fatalf("task %s: %s", task.GetTaskId().GetValue(), err)
				}
			}
		}
	}
	return all, tasks
}

// again is an offer of what is left and what tasks have given back.
func again(t rapid.TB, o *mesos.Offer, rest resources.Resources, back ...*mesos.TaskInfo) *mesos.Offer {
	t.Helper()
	for _, task := range back {
		rest = rest.Add(all(t, task).Unallocate())
		x, err := resources.New(task.GetExecutor().GetResources()...)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest.Add(x.Unallocate())
	}
	next := proto.CloneOf(o)
	next.Resources = rest.Allocate("web").Proto()
	return next
}

func TestResidentLifeCycle(t *testing.T) {
	r := prepare(t, db(app.DiskRoot, app.DiskPath, app.DiskMount), Settings{Principal: principal})
	o := offer("cpus:1;mem:128;disk:150;ports:[31000-31003]")
	o.Resources = append(o.Resources,
		disk(mesos.Resource_DiskInfo_Source_PATH, "/p", 500),
		disk(mesos.Resource_DiskInfo_Source_MOUNT, "/m1", 300), disk(mesos.Resource_DiskInfo_Source_MOUNT, "/m2", 200), disk(mesos.Resource_DiskInfo_Source_MOUNT, "/m3", 50),
	)
	g := open(t, o)
	p := place(t, r, g, attempt("db.1"))
	want := &Reservation{Agent: "S1", Volumes: []HeldVolume{{"root-data", "db#root-data#1"}, {"path-data", "db#path-data#1"}, {"mount-data", "db#mount-data#1"}}}
	if p.Reservation == nil || p.Reservation.Agent != want.Agent || !slices.Equal(p.Reservation.Volumes, want.Volumes) {
		t.Fatalf("%+v", p.Reservation)
	}
	rest, tasks := carryOut(t, o, g.Operations())
	if len(tasks) != 1 || !rest.Allocate("web").Equal(g.Left()) {
		t.Errorf("%s is left, the ground says %s", rest, g.Left())
	}
	if mount := volume(all(t, tasks[0]), "db#mount-data#1"); mount.Scalar(resources.Disk).Float() != 200 {
		t.Errorf("the mount is %s, not the smallest that does", mount)
	}

	// Another instance finds nothing of this one's, and this one finds all of it.
	next := again(t, o, rest, tasks...)
	if _, no := r.Place(open(t, next), attempt("db.2")); !slices.Contains(no.Reasons(), wire.InsufficientDisk) {
		t.Error(no)
	}
	g = open(t, next)
	later := place(t, r, g, Attempt{ID: "db.1", Task: "db.9", Held: p.Reservation, Now: noon, Chance: 7})
	if later.Ports[0] != p.Ports[0] || later.Reservation != p.Reservation || len(g.Operations()) != 1 {
		t.Errorf("%v %v", later.Ports, g.Operations())
	}
	if !all(t, later.Task).Equal(all(t, p.Task)) {
		t.Errorf("%s, before %s", all(t, later.Task), all(t, p.Task))
	}
	if rest, _ := carryOut(t, next, g.Operations()); !rest.Allocate("web").Equal(g.Left()) {
		t.Error(rest, g.Left())
	}

	// When nobody knows it any more, all is as it was.
	g = open(t, next)
	if got := g.Release(func(id string) bool { return id == "db.1" }); got != nil || g.Operations() != nil {
		t.Error(got)
	}
	if got := g.Release(func(string) bool { return false }); !slices.Equal(got, []string{"db.1"}) {
		t.Error(got)
	}
	rest, _ = carryOut(t, next, g.Operations())
	if before, err := resources.New(o.GetResources()...); err != nil || !rest.Equal(before.Unallocate()) {
		t.Errorf("%s, before %s: %v", rest, before, err)
	}
}

func all(t rapid.TB, task *mesos.TaskInfo) resources.Resources {
	t.Helper()
	r, err := resources.New(task.GetResources()...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A volume that was never made, though all was reserved, is made when its instance
// comes back; one that lacks what it was to be made of is waited for.
func TestVolumeThatNeverCameToBe(t *testing.T) {
	r := prepare(t, db(app.DiskRoot), Settings{Principal: principal})
	o := offer("cpus:1;mem:128;disk:150;ports:[31000-31003]")
	g := open(t, o)
	p := place(t, r, g, attempt("db.1"))
	reserved, _ := carryOut(t, o, g.Operations()[:1])
	next := again(t, o, reserved)
	g = open(t, next)
	held := Attempt{ID: "db.1", Task: "db.2", Held: p.Reservation, Now: noon}
	place(t, r, g, held)
	if ops := g.Operations(); len(ops) != 2 || ops[0].GetType() != mesos.Offer_Operation_CREATE {
		t.Error(ops)
	}
	carryOut(t, next, g.Operations())

	bare := again(t, o, reserved.Filter(func(e resources.Entry) bool { return e.Name() != resources.Disk }))
	if _, no := r.Place(open(t, bare), held); no.String() != "the volume db#root-data#1 is not offered" {
		t.Error(no)
	}
	if _, no := r.Place(open(t, o), held); no.String() != "nothing that is reserved for db.1 is offered" {
		t.Error(no)
	}
	held.Held = &Reservation{Agent: "S2"}
	if _, no := r.Place(open(t, next), held); no.String() != "its volumes are on agent S2, not S1" || no.Reasons()[0] != wire.NoReservationFound {
		t.Error(no)
	}
	other := proto.CloneOf(next)
	other.FrameworkId = &mesos.FrameworkID{Value: proto.String("F2")}
	if got := open(t, other).Release(func(string) bool { return false }); got != nil {
		t.Errorf("released another framework's: %v", got)
	}
}

func TestNothingIsReservedForEverybody(t *testing.T) {
	a := db(app.DiskRoot)
	a.Role = "*"
	o := offer("cpus:1;mem:128;disk:150;ports:[31000-31003]")
	o.AllocationInfo.Role = proto.String("*")
	_, no := prepare(t, a, Settings{}).Place(open(t, o), attempt("db.1"))
	if !slices.Equal(no.Reasons(), []string{wire.UnfulfilledRole}) || !strings.Contains(no.String(), "needs another role") {
		t.Error(no)
	}
}

func TestDisksOfTheirOwn(t *testing.T) {
	set := func(kind string, edit func(*app.Persistent)) *app.App {
		a := db(kind)
		edit(a.Container.Volumes[0].Persistent)
		return a
	}
	path := mesos.Resource_DiskInfo_Source_PATH
	mount := mesos.Resource_DiskInfo_Source_MOUNT
	like := "/ssd/.*"
	onSSD := func(p *app.Persistent) {
		p.Constraints = []app.Constraint{{Field: "path", Operator: "LIKE", Value: &like}}
	}
	fast := disk(mount, "/m", 100)
	fast.Disk.Source.Profile = proto.String("fast")
	for name, c := range map[string]struct {
		app  *app.App
		disk *mesos.Resource
		want string // "" is placed
	}{
		"path":                {db(app.DiskPath), disk(path, "/p", 100), ""},
		"path too small":      {db(app.DiskPath), disk(path, "/p", 99), "wants a path disk of 100 MiB for the volume path-data, the largest offered has 99"},
		"path elsewhere":      {set(app.DiskPath, onSSD), disk(path, "/hdd/1", 200), "the largest offered has 0"},
		"path there":          {set(app.DiskPath, onSSD), disk(path, "/ssd/1", 200), ""},
		"mount":               {db(app.DiskMount), disk(mount, "/m", 5000), ""},
		"mount too large":     {set(app.DiskMount, func(p *app.Persistent) { p.MaxSize = 200 }), disk(mount, "/m", 201), "wants a mount disk"},
		"mount at most":       {set(app.DiskMount, func(p *app.Persistent) { p.MaxSize = 200 }), disk(mount, "/m", 200), ""},
		"mount without disk":  {db(app.DiskMount), disk(path, "/p", 5000), "the largest offered has 0"},
		"profile":             {set(app.DiskMount, func(p *app.Persistent) { p.Profile = "fast" }), fast, ""},
		"another profile":     {set(app.DiskMount, func(p *app.Persistent) { p.Profile = "slow" }), fast, "the largest offered has 0"},
		"root is not a mount": {db(app.DiskRoot), disk(mount, "/m", 5000), "wants a root disk"},
	} {
		t.Run(name, func(t *testing.T) {
			o := offer("cpus:1;mem:128;ports:[31000-31003]")
			o.Resources = append(o.Resources, c.disk)
			g := open(t, o)
			before := g.Left()
			_, no := prepare(t, c.app, Settings{Principal: principal}).Place(g, attempt("db.1"))
			if c.want == "" {
				if no != nil {
					t.Fatal(no)
				}
				carryOut(t, o, g.Operations())
				return
			}
			if !strings.Contains(no.String(), c.want) || !slices.Equal(no.Reasons(), []string{wire.InsufficientDisk}) {
				t.Errorf("%s, want %s", no, c.want)
			}
			if !g.Left().Equal(before) || g.Operations() != nil {
				t.Error("a refusal used something")
			}
		})
	}
}

// Executors of apps with volumes have what they take reserved, too.
func TestResidentWithAnExecutor(t *testing.T) {
	a := db(app.DiskRoot)
	a.Process.Executor = "/opt/x"
	a.Resources.Executor = &app.ExecutorShares{CPUs: 0.1, Mem: 32, Disk: 10}
	r := prepare(t, a, Settings{Principal: principal})
	o := offer("cpus:1;mem:128;disk:150;ports:[31000-31003]")
	g := open(t, o)
	p := place(t, r, g, attempt("db.1"))
	rest, tasks := carryOut(t, o, g.Operations())
	next := again(t, o, rest, tasks...)
	x, err := resources.New(tasks[0].GetExecutor().GetResources()...)
	if err != nil {
		t.Fatal(err)
	}
	g = open(t, next)
	later := place(t, r, g, Attempt{ID: "db.1", Task: "db.2", Held: p.Reservation, Now: noon})
	if y, err := resources.New(later.Task.GetExecutor().GetResources()...); err != nil || !y.Equal(x) {
		t.Errorf("%s, before %s: %v", y, x, err)
	}
	carryOut(t, next, g.Operations())
}
