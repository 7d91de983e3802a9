package gang

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/work"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
	dropped  = mesos.TaskState_TASK_DROPPED
)

func offer(id, has string) *mesos.Offer {
	return &mesos.Offer{
		Id: &mesos.OfferID{Value: &id}, AgentId: &mesos.AgentID{Value: proto.String("S-" + id)}, Hostname: proto.String("host-" + id),
		Resources: resources.MustParse(has).Allocate("web").Proto(),
	}
}

func offers(ids ...string) Offers {
	var o Offers
	for _, id := range ids {
		o.Offers = append(o.Offers, offer(id, "cpus:2"))
	}
	return o
}

// gangOf is a gang whose members need 2 CPUs each.
func gangOf(id string, members ...string) *Gang {
	g := &Gang{ID: id, Retries: work.Forever}
	for _, m := range members {
		g.Members = append(g.Members, &work.Task{ID: m, Command: "true", Resources: "cpus:2"})
	}
	return g
}

func show(effects []Effect) []string {
	var out []string
	for _, e := range effects {
		switch e := e.(type) {
		case Launch:
			s := "launch on " + e.Offer.GetId().GetValue() + ":"
			for _, t := range e.Tasks {
				s += " " + t.GetTaskId().GetValue()
			}
			out = append(out, s)
		case Decline:
			s := "give back:"
			for _, o := range e.Offers {
				s += " " + o.GetValue()
			}
			out = append(out, s)
		case Unused:
			s := "unused:"
			for _, o := range e.Offers {
				s += " " + o.GetId().GetValue()
			}
			out = append(out, s)
		case Suppress:
			out = append(out, "suppress")
		case Revive:
			out = append(out, "revive")
		case KillAttempt:
			out = append(out, "kill "+e.ID)
		case SetTimer:
			s := "timer " + e.Key
			if !strings.HasPrefix(e.Key, timerWait) {
				s += " in " + e.After.String()
			}
			out = append(out, s)
		case Report:
			s := fmt.Sprintf("%s attempt %d %s", e.Report.TaskID, e.Report.Attempt, strings.TrimPrefix(e.Report.State.String(), "TASK_"))
			if e.Report.Final {
				s += " final"
			}
			if e.Report.Err != nil {
				s += ": " + e.Report.Err.Error()
			}
			out = append(out, s)
		}
	}
	return out
}

type rig struct {
	t *testing.T
	m *Machine
}

func (r rig) want(in Input, lines ...string) {
	r.t.Helper()
	got := show(r.m.Step(time.Time{}, in))
	if !slices.Equal(got, lines) {
		r.t.Fatalf("%T: effects:\n%s\nwant:\n%s", in, strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func (r rig) status(id string, st mesos.TaskState, lines ...string) {
	r.t.Helper()
	r.want(Updated{&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &id}, State: st.Enum()}}, lines...)
}

func TestAllOrNothing(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("g", "a", "b", "c")}, "revive")
	r.want(Offers{[]*mesos.Offer{offer("O1", "cpus:4"), offer("O2", "cpus:1")}}, "timer gang-hold/g/1 in 30s", "unused: O2")
	r.want(offers("O3", "O4"), "launch on O1: a b", "launch on O3: c", "timer gang-start/g/2 in 5m0s", "unused: O4", "suppress")
	r.want(TimerFired{"gang-hold/g/1"})
	r.status("a", running, "a attempt 1 RUNNING")
	r.status("b", running, "b attempt 1 RUNNING")
	r.status("a", finished, "a attempt 1 FINISHED")
	if r.m.Owns("a") || !r.m.Owns("b") || r.m.Open() != 1 {
		t.Errorf("a: %t, b: %t, %d open", r.m.Owns("a"), r.m.Owns("b"), r.m.Open())
	}
	r.status("c", finished, "c attempt 1 FINISHED")
	r.want(TimerFired{"gang-start/g/2"})
	r.status("b", finished, "b attempt 1 FINISHED", "a attempt 1 FINISHED final", "b attempt 1 FINISHED final", "c attempt 1 FINISHED final")
	r.want(offers("O5"), "unused: O5")
}

func TestTooLittleIsGivenBack(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("g", "a", "b", "c")}, "revive")
	r.want(offers("O1"), "timer gang-hold/g/1 in 30s")
	r.want(offers("O2"))
	r.want(TimerFired{"gang-hold/g/1"}, "give back: O1 O2", "timer gang-wait/g/2", "suppress")
	r.want(offers("O1", "O2", "O3"), "unused: O1 O2 O3")
	r.want(TimerFired{"gang-wait/g/2"}, "revive")
	r.want(offers("O1", "O2", "O3"), "launch on O1: a", "launch on O2: b", "launch on O3: c", "timer gang-start/g/3 in 5m0s", "suppress")
}

func TestOffersThatAreVoid(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("g", "a", "b", "c")}, "revive")
	r.want(offers("O1", "O2"), "timer gang-hold/g/1 in 30s")
	r.want(Rescinded{"O1"})
	r.want(Rescinded{"O9"})
	r.want(offers("O3"))
	r.want(Disconnected{})
	r.want(TimerFired{"gang-hold/g/1"}, "timer gang-wait/g/2", "suppress")
	r.want(TimerFired{"gang-wait/g/2"}, "revive")
	r.want(offers("O4", "O5"), "timer gang-hold/g/3 in 30s")
	r.want(offers("O6"), "launch on O4: a", "launch on O5: b", "launch on O6: c", "timer gang-start/g/4 in 5m0s", "suppress")
}

// A launch that is refused takes the whole gang back; that is no failure.
func TestARefusedLaunchTakesAllBack(t *testing.T) {
	r := rig{t, New(1)}
	g := gangOf("g", "a", "b")
	g.Retries = 0
	r.want(Add{g}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a", "launch on O2: b", "timer gang-start/g/1 in 5m0s", "suppress")
	r.status("a", running, "a attempt 1 RUNNING")
	r.status("b", dropped, "b attempt 1 DROPPED", "kill a")
	r.status("a", running, "a attempt 1 RUNNING")
	r.status("a", killed, "a attempt 1 KILLED", "timer gang-wait/g/2")
	r.want(TimerFired{"gang-wait/g/2"}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a.2", "launch on O2: b.2", "timer gang-start/g/3 in 5m0s", "suppress")
	r.status("a.2", running, "a.2 attempt 2 RUNNING")
	r.status("b.2", running, "b.2 attempt 2 RUNNING")
	r.status("b.2", failed, "b.2 attempt 2 FAILED", "kill a.2")
	r.status("a.2", killed, "a.2 attempt 2 KILLED", "a.2 attempt 2 KILLED final", "b.2 attempt 2 FAILED final")
}

func TestAnAttemptThatDoesNotStartIsTakenBack(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("g", "a", "b")}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a", "launch on O2: b", "timer gang-start/g/1 in 5m0s", "suppress")
	r.status("a", running, "a attempt 1 RUNNING")
	r.want(TimerFired{"gang-start/g/1"}, "kill a", "kill b")
	r.status("b", killed, "b attempt 1 KILLED")
	r.status("a", killed, "a attempt 1 KILLED", "timer gang-wait/g/2")
	r.status("a", running)
}

func TestEnds(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("g", "a", "b")}, "revive")
	r.want(offers("O1"), "timer gang-hold/g/1 in 30s")
	r.want(Kill{"x"})
	r.want(Kill{"b"}, "give back: O1", "a attempt 0 KILLED final", "b attempt 0 KILLED final", "suppress")
	r.want(Add{gangOf("g", "a", "b")}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a", "launch on O2: b", "timer gang-start/g/1 in 5m0s", "suppress")
	r.want(KillAll{}, "kill a", "kill b")
	r.want(Kill{"g"})
	r.status("a", killed, "a attempt 1 KILLED")
	r.status("b", finished, "b attempt 1 FINISHED", "a attempt 1 KILLED final", "b attempt 1 FINISHED final")

	g := gangOf("g", "a", "b")
	r.want(Add{g}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a", "launch on O2: b", "timer gang-start/g/1 in 5m0s", "suppress")
	r.status("a", mesos.TaskState_TASK_UNREACHABLE, "a attempt 1 UNREACHABLE", "kill a", "kill b")
	r.status("b", mesos.TaskState_TASK_ERROR, "b attempt 1 ERROR", "timer gang-wait/g/2")
	r.want(Kill{"g"}, "a attempt 1 KILLED final", "b attempt 1 KILLED final")
	r.want(Add{gangOf("g", "a", "b")}, "revive")
	r.want(offers("O1", "O2"), "launch on O1: a", "launch on O2: b", "timer gang-start/g/1 in 5m0s", "suppress")
	r.status("b", mesos.TaskState_TASK_ERROR, "b attempt 1 ERROR", "kill a")
	r.status("a", killed, "a attempt 1 KILLED", "a attempt 1 KILLED final", "b attempt 1 ERROR final")
	if r.m.Open() != 0 || len(r.m.live) != 0 {
		t.Errorf("%d gangs, %d members are left", r.m.Open(), len(r.m.live))
	}
}

// One gang collects at a time; who gave back is behind the others.
func TestGangsTakeTurns(t *testing.T) {
	r := rig{t, New(1)}
	r.want(Add{gangOf("big", "a", "b", "c")}, "revive")
	r.want(Add{gangOf("small", "d", "e")})
	r.want(offers("O1", "O2"), "timer gang-hold/big/1 in 30s")
	r.want(Offers{[]*mesos.Offer{offer("O3", "cpus:1")}}, "unused: O3")
	r.want(TimerFired{"gang-hold/big/1"}, "give back: O1 O2", "timer gang-wait/big/2", "revive")
	r.want(offers("O1"), "timer gang-hold/small/1 in 30s")
	r.want(TimerFired{"gang-wait/big/2"})
	r.want(offers("O2"), "launch on O1: d", "launch on O2: e", "timer gang-start/small/2 in 5m0s", "revive")
	r.want(offers("O3", "O4", "O5", "O6"), "launch on O3: a", "launch on O4: b", "launch on O5: c",
		"timer gang-start/big/3 in 5m0s", "unused: O6", "suppress")
}

func TestMembersKnowEachOther(t *testing.T) {
	g := gangOf("g", "a", "b")
	for _, m := range g.Members {
		m.Ports = 1
		m.Constraints = [][]string{{"hostname", "UNIQUE"}}
	}
	g.Members[1].Edit = func(i *mesos.TaskInfo) { i.Labels = &mesos.Labels{} }
	m := New(0)
	m.Step(time.Time{}, Add{g})
	ports := "cpus:9;ports:[100-109]"
	out := m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O1", ports), offer("O2", ports)}})
	var got []string
	for _, e := range out {
		l, ok := e.(Launch)
		if !ok {
			continue
		}
		for _, info := range l.Tasks {
			line := l.Offer.GetHostname() + ":"
			for _, v := range info.GetCommand().GetEnvironment().GetVariables() {
				line += " " + v.GetName() + "=" + v.GetValue()
			}
			got = append(got, line)
			if info.GetLabels() == nil && info.GetName() == "b" {
				t.Error("b is not edited")
			}
		}
	}
	want := []string{
		"host-O1: PORT=100 PORT0=100 GANG_RANK=0 GANG_SIZE=2 GANG_HOSTS=host-O1,host-O2 GANG_PORTS=100,101",
		"host-O2: PORT=101 PORT0=101 GANG_RANK=1 GANG_SIZE=2 GANG_HOSTS=host-O1,host-O2 GANG_PORTS=100,101",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, e := range m.Step(time.Time{}, Updated{&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: proto.String("b")}, State: mesos.TaskState_TASK_RUNNING.Enum()}}) {
		if r, ok := e.(Report); ok && r.Report.Place.Address() != "host-O2:101" {
			t.Errorf("b is at %+v", r.Report.Place)
		}
	}
}

func TestGangsThatCannotBe(t *testing.T) {
	with := func(change func(*Gang)) *Gang {
		g := gangOf("g", "a", "b")
		change(g)
		return g
	}
	for want, g := range map[string]*Gang{
		`gang "": id: `: with(func(g *Gang) { g.ID = "" }),
		`members[1].command`: with(func(g *Gang) {
			g.Members[1].Command, g.Members[1].Executor = "", &mesos.ExecutorInfo{}
		}),
		`members[1].executor: is not for members of a gang`: with(func(g *Gang) {
			g.Members[1].Command, g.Members[1].Executor = "", &mesos.ExecutorInfo{Command: &mesos.CommandInfo{}}
		}),
		`members[1].id: "a": is the id of another member`:                  with(func(g *Gang) { g.Members[1].ID = "a" }),
		`members[0]: retries, again and group are the gang's`:              with(func(g *Gang) { g.Members[0].Retries = 1 }),
		`members[1].constraints[0][1]: "NEAR"`:                             with(func(g *Gang) { g.Members[1].Constraints = [][]string{{"a", "NEAR"}} }),
		`id: "known": is the id of another gang`:                           with(func(g *Gang) { g.ID = "known" }),
		`members[1].id: "member": is the id of another gang or its member`: with(func(g *Gang) { g.Members[1].ID = "member" }),
	} {
		m := New(0)
		m.Step(time.Time{}, Add{gangOf("known", "member")})
		got := show(m.Step(time.Time{}, Add{g}))
		if strings.HasPrefix(want, "members[1].command") {
			want = "members[1].executor.command"
		}
		if len(got) != 2 || !strings.Contains(got[0], "ERROR final: gang ") || !strings.Contains(got[0], want) || m.Open() != 1 {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := (&Gang{ID: "g"}).Check(); err == nil || !strings.Contains(err.Error(), "members: 0: must be from 1 to 1024") {
		t.Error(err)
	}
	r := rig{t, New(0)}
	r.want(Close{})
	r.want(Add{gangOf("g", "a")}, ` attempt 0 ERROR final: gang "g": no more gangs are taken`)
}
