package work

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func urlOf(scheme, host, ip string) *mesos.URL {
	a := &mesos.Address{Hostname: &host, Port: proto.Int32(5051)}
	if ip != "" {
		a.Ip = &ip
	}
	return &mesos.URL{Scheme: &scheme, Address: a}
}

// News of a task says where it runs: who is to reach it, or to read what it
// writes, needs no more.
func TestNewsSaysWhere(t *testing.T) {
	m := New()
	m.Step(time.Time{}, Add{&Task{ID: "a b&c", Command: "serve", Ports: 2, Retries: 1}})
	o := offer("O", "cpus:1;mem:64;ports:[100-102,200-200]")
	o.Url = urlOf("https", "agent", "::1")
	m.Step(time.Time{}, Offers{[]*mesos.Offer{o}})
	p := m.Step(time.Time{}, Updated{status("a b&c", running)})[0].(Report).Report.Place
	if p.Agent != "S-O" || p.Host != "host" || !slices.Equal(p.Ports, []uint64{100, 101}) || p.Address() != "host:100" {
		t.Errorf("%+v", p)
	}
	u, err := url.Parse(p.File("logs/ü"))
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Query().Get("path"); u.Scheme != "https" || u.Host != "[::1]:5051" || u.Path != "/files/download" ||
		got != "/frameworks/F1/executors/a b&c/runs/latest/logs/ü" {
		t.Errorf("%s: %q", u, got)
	}
	// One that has failed says where.
	end := m.Step(time.Time{}, Updated{status("a b&c", failed)})[0].(Report).Report
	if end.Place.Agent != "S-O" {
		t.Errorf("it failed at %+v", end.Place)
	}
}

func TestPlaces(t *testing.T) {
	var nowhere Place
	if nowhere.Address() != "" || nowhere.File("stdout") != "" {
		t.Errorf("%+v", nowhere)
	}
	o := offer("O", "cpus:1")
	o.Url = urlOf("http", "agent", "")
	p := PlaceOf(o, &mesos.TaskInfo{
		TaskId:   &mesos.TaskID{Value: proto.String("T")},
		Executor: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("X")}},
	}, nil)
	if got, want := p.File("stdout"), "http://agent:5051/files/download?path=/frameworks/F1/executors/X/runs/latest/stdout"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if p.Address() != "" {
		t.Errorf("no ports, and the address %q", p.Address())
	}
}
