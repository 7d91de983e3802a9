package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

// anyApp draws an app that is valid as far as placing it goes.
func anyApp(t *rapid.T, n int) *app.App {
	a := web()
	a.ID, a.Ports = app.Path(fmt.Sprintf("/app-%d", n)), nil
	a.Resources = app.Resources{
		CPUs: float64(rapid.IntRange(1, 40).Draw(t, "tenths of cpus")) / 10, Mem: float64(rapid.IntRange(0, 300).Draw(t, "mem")),
		Disk: float64(rapid.IntRange(0, 100).Draw(t, "disk")), GPUs: rapid.IntRange(0, 1).Draw(t, "gpus"),
	}
	a.RequirePorts = rapid.Bool().Draw(t, "requirePorts")
	for i := range rapid.IntRange(0, 3).Draw(t, "ports") {
		a.Ports = append(a.Ports, app.Port{Number: 31000 + 3*n + i, Protocol: rapid.SampledFrom([]string{"tcp", "udp", "udp,tcp"}).Draw(t, "protocol")})
	}
	a.Placement.Roles = rapid.SampledFrom([][]string{nil, {"*"}, {"web"}, {"*", "web"}}).Draw(t, "accepted")
	if rapid.IntRange(0, 3).Draw(t, "executor") == 0 {
		a.Process.Executor, a.Resources.Executor = "/x", &app.ExecutorShares{CPUs: 0.1, Mem: 32, Disk: 10}
	}
	if rapid.IntRange(0, 2).Draw(t, "resident") == 0 {
		a.Placement.Roles = nil
		a.Container = db(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{app.DiskRoot, app.DiskPath, app.DiskMount}), 1, 3, rapid.ID).Draw(t, "volumes")...).Container
	}
	return a
}

func anyOffer(t *rapid.T) *mesos.Offer {
	n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
	o := offer(fmt.Sprintf("cpus:%d;cpus(web):%d;mem:%d;mem(web):%d;disk:%d;gpus:%d;ports:[31000-%d];ports(web):[31020-%d]",
		n("cpus", 8), n("reserved cpus", 3), n("mem", 900), n("reserved mem", 300), n("disk", 500), n("gpus", 2), 31000+n("ports", 12), 31020+n("reserved ports", 5)))
	for i := range n("disks", 3) {
		kind := rapid.SampledFrom([]mesos.Resource_DiskInfo_Source_Type{mesos.Resource_DiskInfo_Source_PATH, mesos.Resource_DiskInfo_Source_MOUNT}).Draw(t, "kind")
		o.Resources = append(o.Resources, disk(kind, fmt.Sprintf("/disk%d", i), float64(50+n("size", 300))))
	}
	if n("kept", 1) == 1 {
		o.Resources = append(o.Resources, kept("cpus:1;mem:100;ports:[31030-31040]")...)
	}
	revocable := resources.MustParse("cpus:2;mem:50").Convert(func(m *mesos.Resource) { m.Revocable = &mesos.Resource_RevocableInfo{} })
	o.Resources = append(o.Resources, revocable.Allocate("web").Proto()...)
	return o
}

// However instances are placed on an offer: what it has is enough for all that is
// done with it, every task would be taken by the master, gets just what its app
// wants, and ports that nobody else has; a refusal names a reason and uses nothing.
// Residents find the same again.
func TestPlacesAreRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOffer(t)
		before := proto.CloneOf(o)
		g, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		ports := map[int]bool{}
		residents := map[string]resident{}
		for n := range rapid.IntRange(1, 5).Draw(t, "apps") {
			a := anyApp(t, n)
			r, err := Prepare(a, Settings{Role: "web", Principal: principal})
			if err != nil {
				t.Fatal(err)
			}
			try := attempt(fmt.Sprintf("%s.%d", a.ID.Flat(), n))
			try.Chance = rapid.Uint64().Draw(t, "chance")
			left, ops := g.Left(), len(g.Operations())
			p, no := r.Place(g, try)
			if no != nil {
				if len(no) == 0 || no.String() == "" || !g.Left().Equal(left) || len(g.Operations()) != ops {
					t.Fatalf("refusal %v, left %s, before %s", no, g.Left(), left)
				}
				continue
			}
			if p.Reservation != nil {
				residents[try.ID] = resident{r, p}
			}
			checkTask(t, a, p, ports)
		}
		rest, tasks := carryOut(t, o, g.Operations())
		if !rest.Allocate("web").Equal(g.Left()) || len(tasks) != g.Tasks() {
			t.Fatalf("%s is left of %d tasks, the ground says %s of %d", rest, len(tasks), g.Left(), g.Tasks())
		}
		if !proto.Equal(o, before) {
			t.Fatal("the offer was changed")
		}
		comeBack(t, again(t, o, rest, tasks...), residents)
	})
}

type resident struct {
	recipe *Recipe
	placed *Placed
}

// comeBack launches residents once more, all on one offer.
func comeBack(t *rapid.T, o *mesos.Offer, residents map[string]resident) {
	g, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for id, was := range residents { // in any order
		p, no := was.recipe.Place(g, Attempt{ID: id, Task: id + "-2", Held: was.placed.Reservation, Now: noon})
		if no != nil {
			t.Fatalf("%s: %s", id, no)
		}
		if !all(t, p.Task).Equal(all(t, was.placed.Task)) {
			t.Fatalf("%s, before %s", all(t, p.Task), all(t, was.placed.Task))
		}
	}
	carryOut(t, o, g.Operations())
}

func checkTask(t *rapid.T, a *app.App, p *Placed, ports map[int]bool) {
	if err := validate.TaskInfo(p.Task); err != nil {
		t.Fatalf("%s\n%v", err, p.Task)
	}
	got, err := resources.New(append(p.Task.GetResources(), p.Task.GetExecutor().GetResources()...)...)
	if err != nil {
		t.Fatal(err)
	}
	x := a.Resources.Executor
	if x == nil {
		x = &app.ExecutorShares{}
	}
	sizes := 0.0
	for e := range got.All() {
		if e.Disk().GetPersistence() != nil {
			sizes += e.Amount().Float()
		}
	}
	for name, want := range map[string]float64{
		resources.CPUs: a.Resources.CPUs + x.CPUs, resources.Mem: a.Resources.Mem + x.Mem,
		resources.Disk: a.Resources.Disk + x.Disk + sizes, resources.GPUs: float64(a.Resources.GPUs),
	} {
		if m, err := resources.MilliOf(want); err != nil || got.Scalar(name) != m {
			t.Fatalf("%s of %s, wants %v (%v)", got, name, want, err)
		}
	}
	for i, n := range p.Ports {
		if ports[n] || !got.Ranges(resources.Ports).Has(uint64(n)) || a.RequirePorts && n != a.Ports[i].Number {
			t.Fatalf("port %d of %v: taken before %t, has %s", n, p.Ports, ports[n], got)
		}
		ports[n] = true
	}
	if len(p.Ports) != len(a.Ports) || got.Ranges(resources.Ports).Count() != uint64(len(a.Ports)) || a.Resident() != (p.Reservation != nil) {
		t.Fatalf("%+v for %+v", p, a)
	}
	for e := range got.All() {
		if e.Revocable() {
			t.Fatalf("%s may be taken away", e)
		}
	}
}

// One agent of many, and the first of 50,000 instances.
func BenchmarkPlace(b *testing.B) {
	a := web()
	a.Labels = map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "web.example"}
	a.Placement.Constraints = []app.Constraint{{Field: "hostname", Operator: "GROUP_BY"}}
	r := prepare(b, a, Settings{})
	o := offer("cpus:16;mem:65536;disk:100000;ports:[31000-32000]")
	spread := r.Constraints().Spread(nil, nil)
	chance := rand.New(rand.NewPCG(1, 2))
	g := open(b, o)
	try := attempt("prod_web.1")
	try.Spread = spread
	for b.Loop() {
		try.Chance = chance.Uint64()
		if _, no := r.Place(g, try); no != nil {
			g = open(b, o)
		}
	}
}

func BenchmarkRefuse(b *testing.B) {
	r, g := prepare(b, web(), Settings{}), open(b, offer("cpus:0.1;mem:65536;ports:[31000-32000]"))
	for b.Loop() {
		if _, no := r.Place(g, attempt("prod_web.1")); no == nil {
			b.Fatal("placed")
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	a := web()
	for b.Loop() {
		prepare(b, a, Settings{})
	}
}
