package placement

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// web is an app that wants two ports of its host.
func web() *app.App {
	return &app.App{
		ID: "/prod/web", Process: app.Process{Command: "run"}, Resources: app.Resources{CPUs: 0.5, Mem: 64},
		Networks: []app.Network{{Mode: app.ModeHost}},
		Ports:    []app.Port{{Number: 10000, Protocol: "tcp", Name: "http"}, {Number: 10001, Protocol: "udp"}},
		Version:  1,
	}
}

// offer is of the text's resources, for the role "web".
func offer(text string) *mesos.Offer {
	return &mesos.Offer{
		Id: &mesos.OfferID{Value: proto.String("O1")}, AgentId: &mesos.AgentID{Value: proto.String("S1")},
		FrameworkId: &mesos.FrameworkID{Value: proto.String("F1")}, Hostname: proto.String("node1"),
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("web")},
		Resources:      resources.MustParse(text).Allocate("web").Proto(),
	}
}

func prepare(t testing.TB, a *app.App, s Settings) *Recipe {
	t.Helper()
	if s.Role == "" {
		s.Role = "web"
	}
	r, err := Prepare(a, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, o *mesos.Offer) *Ground {
	t.Helper()
	g, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func attempt(id string) Attempt { return Attempt{ID: id, Task: id, Now: noon} }

func place(t testing.TB, r *Recipe, g *Ground, a Attempt) *Placed {
	t.Helper()
	p, no := r.Place(g, a)
	if no != nil {
		t.Fatal(no)
	}
	if err := validate.TaskInfo(p.Task); err != nil {
		t.Fatalf("%s\n%v", err, p.Task)
	}
	return p
}

func TestTwoInstancesOnOneOffer(t *testing.T) {
	r, g := prepare(t, web(), Settings{}), open(t, offer("cpus:1;mem:1024;ports:[31000-31004]"))
	one := place(t, r, g, attempt("prod_web.1"))
	two := place(t, r, g, attempt("prod_web.2"))
	if one.Ports[0] != 31000 || one.Ports[1] != 31001 || two.Ports[0] != 31002 || two.Ports[1] != 31003 {
		t.Error(one.Ports, two.Ports)
	}
	if want := resources.MustParse("mem:896;ports:[31004-31004]").Allocate("web"); !g.Left().Equal(want) {
		t.Errorf("%s is left, want %s", g.Left(), want)
	}
	if ops := g.Operations(); len(ops) != 1 || len(ops[0].GetLaunch().GetTaskInfos()) != 2 || g.Tasks() != 2 {
		t.Error(ops)
	}
	_, no := r.Place(g, attempt("prod_web.3"))
	if got := no.String(); got != "wants 0.5 cpus, 0 are offered; 2 ports are wanted, 1 are offered" {
		t.Error(got)
	}
}
