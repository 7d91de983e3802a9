package placement

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// window is a maintenance that begins some time after noon; 0 long is for good.
func window(begins, long time.Duration) *mesos.Unavailability {
	u := &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: new(noon.Add(begins).UnixNano())}}
	if long > 0 {
		u.Duration = &mesos.DurationInfo{Nanoseconds: new(int64(long))}
	}
	return u
}

func region(name string) *mesos.DomainInfo {
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &name}, Zone: &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: proto.String("z")},
	}}
}

func TestReasons(t *testing.T) {
	const enough = "cpus:1;mem:64;ports:[31000-31001]"
	keep := Settings{KeepGPUs: true}
	for name, c := range map[string]struct {
		resources string
		settings  Settings
		app       func(*app.App)
		offer     func(*mesos.Offer)
		reasons   []string // nil: it is placed
		text      string
	}{
		"enough":       {resources: enough},
		"nothing":      {resources: "", reasons: []string{wire.InsufficientCpus, wire.InsufficientMemory, wire.InsufficientPorts}, text: "wants 0.5 cpus, 0 are offered; wants 64 MiB of mem, 0 are offered; 2 ports are wanted, 0 are offered"},
		"another role": {resources: enough, app: func(a *app.App) { a.Role = "db" }, reasons: []string{wire.UnfulfilledRole}, text: `the offer is for the role "web", not "db"`},
		"its own role": {resources: enough, app: func(a *app.App) { a.Role = "db" }, offer: func(o *mesos.Offer) {
			o.AllocationInfo.Role = proto.String("db")
		}},
		"gpus":              {resources: enough, app: func(a *app.App) { a.Resources.GPUs = 1 }, reasons: []string{wire.InsufficientGpus}, text: "wants 1 gpus, 0 are offered"},
		"disk":              {resources: enough, app: func(a *app.App) { a.Resources.Disk = 0.5 }, reasons: []string{wire.InsufficientDisk}, text: "wants 0.5 MiB of disk, 0 are offered"},
		"scarce":            {resources: enough + ";gpus:1", settings: keep, reasons: []string{wire.DeclinedScarceResources}, text: "has GPUs"},
		"scarce and short":  {resources: "cpus:1;mem:1;ports:[31000-31001];gpus:1", settings: keep, reasons: []string{wire.InsufficientMemory, wire.DeclinedScarceResources}, text: "; the agent has GPUs"},
		"wants scarce":      {resources: enough + ";gpus:1", settings: keep, app: func(a *app.App) { a.Resources.GPUs = 1 }},
		"not so scarce":     {resources: enough + ";gpus:1"},
		"exact ports":       {resources: enough + ";cpus:1", app: func(a *app.App) { a.RequirePorts = true }, reasons: []string{wire.InsufficientPorts}, text: "ports [10000 10001] are not offered"},
		"port of its own":   {resources: "cpus:1;mem:64;ports:[10000-10001]", app: func(a *app.App) { a.RequirePorts = true }},
		"maintenance":       {resources: enough, offer: func(o *mesos.Offer) { o.Unavailability = window(-time.Hour, 0) }, reasons: []string{wire.AgentMaintenance}, text: "in maintenance from 2026-03-01T11:00:00Z on"},
		"maintenance over":  {resources: enough, offer: func(o *mesos.Offer) { o.Unavailability = window(-time.Hour, time.Hour) }},
		"maintenance later": {resources: enough, offer: func(o *mesos.Offer) { o.Unavailability = window(time.Second, 0) }},
		"maintenance soon":  {resources: enough, settings: Settings{Draining: time.Second}, offer: func(o *mesos.Offer) { o.Unavailability = window(time.Second, 0) }, reasons: []string{wire.AgentMaintenance}},
		"region":            {resources: enough, settings: Settings{Region: "here"}, offer: func(o *mesos.Offer) { o.Domain = region("there") }, reasons: []string{wire.UnfulfilledConstraint}, text: `the agent is in region "there"`},
		"home":              {resources: enough, settings: Settings{Region: "here"}, offer: func(o *mesos.Offer) { o.Domain = region("here") }},
		"no region":         {resources: enough, settings: Settings{Region: "here"}},
		"region chosen": {resources: enough, settings: Settings{Region: "here"}, offer: func(o *mesos.Offer) { o.Domain = region("there") }, app: func(a *app.App) {
			a.Placement.Constraints = []app.Constraint{{Field: "@region", Operator: "LIKE", Value: new("th.*")}}
		}},
		"constraint": {resources: "", app: func(a *app.App) {
			a.Placement.Constraints = []app.Constraint{{Field: "hostname", Operator: "IS", Value: new("node2")}}
		}, reasons: []string{wire.UnfulfilledConstraint}, text: `hostname IS node2: hostname is "node1", not "node2"`},
		"executor": {resources: "cpus:0.55;mem:70;ports:[31000-31001]", app: func(a *app.App) {
			a.Process.Executor, a.Resources.Executor = "/x", &app.ExecutorShares{CPUs: 0.1, Mem: 32, Disk: 10}
		}, reasons: []string{wire.InsufficientCpus, wire.InsufficientMemory, wire.InsufficientDisk}, text: "wants 0.6 cpus, 0.55 are offered"},
	} {
		t.Run(name, func(t *testing.T) {
			a, o := web(), offer(c.resources)
			if c.app != nil {
				c.app(a)
			}
			if c.offer != nil {
				c.offer(o)
			}
			r := prepare(t, a, c.settings)
			try := attempt("prod_web.1")
			if len(r.Constraints()) > 0 {
				try.Spread = r.Constraints().Spread(nil, nil)
			}
			g := open(t, o)
			_, no := r.Place(g, try)
			if got := no.Reasons(); len(got)+len(c.reasons) > 0 && !reflect.DeepEqual(got, c.reasons) || !strings.Contains(no.String(), c.text) {
				t.Errorf("%v: %s", got, no)
			}
			if placed := g.Tasks() == 1; placed != (c.reasons == nil) {
				t.Errorf("placed: %t", placed)
			}
		})
	}
}

// kept is what somebody else of the role has reserved for a purpose.
func kept(text string) []*mesos.Resource {
	list := resources.MustParse(text).Convert(func(m *mesos.Resource) {
		m.Reservations = []*mesos.Resource_ReservationInfo{{
			Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web"),
			Labels: &mesos.Labels{Labels: []*mesos.Label{{Key: proto.String("for")}}},
		}}
	})
	return list.Allocate("web").Proto()
}

func TestAcceptedRoles(t *testing.T) {
	const free, reserved = "cpus:1;mem:64;ports:[31000-31001]", "cpus(web):1;mem(web):64;ports(web):[31000-31001]"
	revocable := resources.MustParse(free).Convert(func(m *mesos.Resource) { m.Revocable = &mesos.Resource_RevocableInfo{} }).Allocate("web").Proto()
	both := append(offer(free).GetResources(), offer("cpus(web):1;mem(web):64;ports(web):[31002-31003]").GetResources()...)
	for name, c := range map[string]struct {
		roles   []string
		offered []*mesos.Resource
		want    string // role that it gets cpus of; "" is nothing
	}{
		"any, of nobody":        {nil, offer(free).GetResources(), "*"},
		"any, reserved":         {nil, offer(reserved).GetResources(), "web"},
		"any, of both":          {nil, both, "web"},
		"nobody's, reserved":    {[]string{"*"}, offer(reserved).GetResources(), ""},
		"nobody's, of both":     {[]string{"*"}, both, "*"},
		"own, of nobody":        {[]string{"web"}, offer(free).GetResources(), ""},
		"own, of both":          {[]string{"web"}, both, "web"},
		"listed, of both":       {[]string{"*", "web"}, both, "web"},
		"kept for a purpose":    {nil, kept(free), ""},
		"may be taken away":     {nil, revocable, ""},
		"kept, beside nobody's": {nil, append(kept(free), offer("cpus:1;mem:64;ports:[31002-31003]").GetResources()...), "*"},
	} {
		t.Run(name, func(t *testing.T) {
			a, o := web(), offer("")
			a.Placement.Roles, o.Resources = c.roles, c.offered
			p, no := prepare(t, a, Settings{}).Place(open(t, o), attempt("prod_web.1"))
			if c.want == "" {
				if want := []string{wire.InsufficientCpus, wire.InsufficientMemory, wire.InsufficientPorts}; !reflect.DeepEqual(no.Reasons(), want) {
					t.Error(no)
				}
				return
			}
			if no != nil {
				t.Fatal(no)
			}
			for e := range all(t, p.Task).All() {
				if e.Name() == resources.CPUs && e.Role() != c.want {
					t.Errorf("got %s, want that of %s", e, c.want)
				}
			}
		})
	}
}

// An instance is counted where it was placed, and only there.
func TestSpreadCounts(t *testing.T) {
	a := web()
	a.Placement.Constraints = []app.Constraint{{Field: "hostname", Operator: "MAX_PER", Value: new("2")}}
	r, g := prepare(t, a, Settings{}), open(t, offer("cpus:8;mem:4096;ports:[31000-31099]"))
	spread := r.Constraints().Spread([]match.Host{{Hostname: "node2"}}, nil)
	placed := 0
	for i := range 4 {
		try := attempt("prod_web." + string(rune('a'+i)))
		try.Spread = spread
		if _, no := r.Place(g, try); no == nil {
			placed++
		} else if no[0].Constraint == nil || no[0].Constraint.Value != "node1" {
			t.Errorf("%+v", no)
		}
	}
	if placed != 2 {
		t.Errorf("%d were placed, want 2", placed)
	}
}

func TestWhatCanNeverBePlaced(t *testing.T) {
	for want, edit := range map[string]func(*app.App){
		"constraints: ":              func(a *app.App) { a.Placement.Constraints = []app.Constraint{{Field: "x", Operator: "NEAR"}} },
		"resources: are none at all": func(a *app.App) { a.Resources = app.Resources{} },
		"resources: ":                func(a *app.App) { a.Resources.CPUs = math.NaN() },
		"executorResources: ": func(a *app.App) {
			a.Process.Executor, a.Resources.Executor = "/x", &app.ExecutorShares{CPUs: -1}
		},
		`volume "root-data": constraints: `: func(a *app.App) {
			*a = *db(app.DiskRoot)
			a.Container.Volumes[0].Persistent.Constraints = []app.Constraint{{Field: "x", Operator: "NEAR"}}
		},
		`volume "root-data": size: `:    func(a *app.App) { *a = *db(app.DiskRoot); a.Container.Volumes[0].Persistent.Size = -1 },
		`volume "root-data": maxSize: `: func(a *app.App) { *a = *db(app.DiskRoot); a.Container.Volumes[0].Persistent.MaxSize = -1 },
		"id of the volume ": func(a *app.App) {
			*a = *db(app.DiskRoot)
			a.Container.Volumes[0].Path = strings.Repeat("x", 255)
		},
	} {
		a := web()
		edit(a)
		if _, err := Prepare(a, Settings{}); err == nil || !strings.Contains(err.Error(), "app "+string(a.ID)+": "+want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	bad := offer("cpus:1")
	bad.Resources[0].Scalar = nil
	if _, err := Open(bad); err == nil || !strings.Contains(err.Error(), `offer "O1": resources: `) {
		t.Error(err)
	}
}
