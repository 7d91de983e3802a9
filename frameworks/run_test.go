package frameworks_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func TestRunNamesWhatIsWrong(t *testing.T) {
	for want, o := range map[string]frameworks.Options{
		`framework "x": master: must be set`:                  {Name: "x"},
		`master.masters[0]: "nowhere": is not host:port`:      {Name: "x", Master: "nowhere"},
		`framework "": name: must be set`:                     {Master: "127.0.0.1:1"},
		`roles[0]: "a b": must not contain " "`:               {Name: "x", Master: "127.0.0.1:1", Roles: []string{"a b"}},
		`failover timeout: -1s: is negative`:                  {Name: "x", Master: "127.0.0.1:1", FailoverTimeout: -time.Second},
		`patience: -1s: is negative`:                          {Name: "x", Master: "127.0.0.1:1", Patience: -time.Second},
		`no subscription at master 127.0.0.1:1 within 50ms: `: {Name: "x", Master: "127.0.0.1:1", Patience: 50 * time.Millisecond},
		`load framework id`:                                   {Name: "x", Master: "127.0.0.1:1", Store: frameworks.FileStore("/dev/null/id")},
	} {
		if err := frameworks.Run(t.Context(), o, frameworks.Base{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestFrameworkInfo(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		run(t, m, sys, frameworks.Options{
			Name: "n", User: "ann", Roles: []string{"web"}, Principal: "p", WebUI: "http://ui", Forgettable: true,
			FailoverTimeout: time.Minute, Capabilities: []frameworks.Capability{
				mesos.FrameworkInfo_Capability_PARTITION_AWARE, mesos.FrameworkInfo_Capability_GPU_RESOURCES,
			},
			Edit: func(f *mesos.FrameworkInfo) { f.Hostname = proto.String("h") },
		}, frameworks.Base{})
		f := m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil).GetSubscribe().GetFrameworkInfo()
		if f.GetName() != "n" || f.GetUser() != "ann" || !slices.Equal(f.GetRoles(), []string{"web"}) || f.GetPrincipal() != "p" ||
			f.GetWebuiUrl() != "http://ui" || f.GetCheckpoint() || f.GetFailoverTimeout() != 60 || f.GetHostname() != "h" ||
			len(f.GetCapabilities()) != 4 {
			t.Errorf("%v", f)
		}
	})
}

func TestFileStore(t *testing.T) {
	dir := t.TempDir()
	f := frameworks.FileStore(filepath.Join(dir, "id"))
	if id, err := f.Load(); id != "" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if err := f.Save("F1"); err != nil {
		t.Fatal(err)
	}
	if id, err := f.Load(); id != "F1" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for content, want := range map[string]string{" \n": "", "a/b": `load framework id from`} {
		if err := os.WriteFile(string(f), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Load(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
	if err := frameworks.FileStore(filepath.Join(dir, "no", "id")).Save("F1"); err == nil {
		t.Error("saved into a folder that does not exist")
	}
}

// manual is a scheduler that sees everything.
type manual struct {
	frameworks.Base
	launched bool
	later    chan *mesos.TaskStatus
	refused  chan error
	other    chan *scheduler.Event
	driver   chan *frameworks.Driver
}

func (s *manual) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, _ bool) {
	d.Log().Info("connected")
	s.driver <- d
}

func (s *manual) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	if s.launched {
		return
	}
	s.launched = true
	d.LaunchGroup(offers[0], &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("X")},
	}, &mesos.TaskInfo{
		Name: proto.String("T"), TaskId: &mesos.TaskID{Value: proto.String("T")}, Resources: offers[0].GetResources(),
	})
}

func (s *manual) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	s.later <- st
	return false
}

func (s *manual) Refused(_ *frameworks.Driver, _ *scheduler.Call, err error) { s.refused <- err }

func (s *manual) Other(_ *frameworks.Driver, e *scheduler.Event) { s.other <- e }

func TestSchedulerWithAHandOfItsOwn(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} })
		s := &manual{
			later: make(chan *mesos.TaskStatus, 9), refused: make(chan error, 9), other: make(chan *scheduler.Event, 9),
			driver: make(chan *frameworks.Driver, 9),
		}
		ended := run(t, m, sys, frameworks.Options{}, s)
		d := <-s.driver
		m.Agent(t, "S1", "cpus:1")
		st := <-s.later
		d.Acknowledge(st)
		m.AwaitCall(t, scheduler.Call_ACKNOWLEDGE, nil)
		d.Kill("T", time.Second)
		kill := m.AwaitCall(t, scheduler.Call_KILL, nil).GetKill()
		if kill.GetKillPolicy().GetGracePeriod().GetNanoseconds() != 1e9 || kill.GetAgentId().GetValue() != "S1" {
			t.Errorf("%v", kill)
		}
		if st := <-s.later; st.GetState() != killed {
			t.Errorf("%v", st)
		}
		d.Watch("old", "S9")
		d.Watch("older", "")
		d.Send("S1", "X", []byte("hello"))
		if c := m.AwaitCall(t, scheduler.Call_MESSAGE, nil); string(c.GetMessage().GetData()) != "hello" {
			t.Errorf("%v", c)
		}
		d.Call(&scheduler.Call{})
		if err := <-s.refused; !strings.Contains(err.Error(), "type is 0") {
			t.Error(err)
		}
		m.Event(&scheduler.Event{Type: scheduler.Event_INVERSE_OFFERS.Enum()})
		if e := <-s.other; e.GetType() != scheduler.Event_INVERSE_OFFERS {
			t.Errorf("%v", e)
		}
		d.Teardown()
		if err := wait(t, ended); err != nil {
			t.Error(err)
		}
		if d.Do(func() {}) {
			m.AwaitCall(t, scheduler.Call_TEARDOWN, nil)
		}
	})
}

func TestRescindedAndDeclined(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		held := make(chan string, 1)
		s := &holder{held: held, rescinded: make(chan string, 1)}
		run(t, m, sys, frameworks.Options{}, s)
		m.Agent(t, "S1", "cpus:1")
		id := <-held
		m.Rescind()
		if got := <-s.rescinded; got != id {
			t.Errorf("rescinded %q, not %q", got, id)
		}

		sys = system(t)
		m = frameworktest.New(t, sys, nil)
		run(t, m, sys, frameworks.Options{}, frameworks.Base{})
		m.Agent(t, "S1", "cpus:1")
		m.AwaitCall(t, scheduler.Call_DECLINE, nil)
	})
}

// holder keeps its offers.
type holder struct {
	frameworks.Base
	held, rescinded chan string
}

func (h *holder) Offers(_ *frameworks.Driver, offers []*mesos.Offer) {
	h.held <- offers[0].GetId().GetValue()
}

func (h *holder) Rescinded(_ *frameworks.Driver, id string) { h.rescinded <- id }
