package slave

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state"
)

// seeker is a Detector that finds whom the test says.
type seeker struct {
	mu      sync.Mutex
	leader  *mesos.MasterInfo
	failure error
	changed chan struct{}
	doubts  []string
}

func newSeeker() *seeker { return &seeker{changed: make(chan struct{})} }

func (s *seeker) set(leader *mesos.MasterInfo, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader, s.failure = leader, failure
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *seeker) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	for {
		s.mu.Lock()
		leader, failure, changed := s.leader, s.failure, s.changed
		s.mu.Unlock()
		if failure != nil || leader.GetId() != known.GetId() {
			return leader, failure
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *seeker) Doubt(leader, hint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubts = append(s.doubts, leader+">"+hint)
}

func (s *seeker) Suspect(string) {}

func (s *seeker) doubted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.doubts)
}

// nothing is the journal of an agent that runs nothing.
type nothing struct{}

func (nothing) Append(_ []*cluster.JournalRecord, done func(error))  { done(nil) }
func (nothing) Rewrite(_ []*cluster.JournalRecord, done func(error)) { done(nil) }
func (nothing) OnStall(func(error))                                  {}
func (nothing) Grown() bool                                          { return false }

// town is masters in name only, and an agent that looks for them.
type town struct {
	t       *testing.T
	network *actortest.Network
	seeker  *seeker
	service *Service
}

func newTown(t *testing.T) *town {
	w := &town{t: t, network: actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Delay: time.Millisecond}), seeker: newSeeker()}
	service, err := Start(w.system("agent:5051"), Options{
		Config: state.Config{
			Info: &mesos.AgentInfo{Hostname: proto.String("agent")}, Version: "1", RegistrationBackoff: time.Second,
		},
		Detector: w.seeker, Journal: nothing{}, Sandboxes: noSandboxes{}, Volumes: noVolumes{}, Processes: noProcesses{},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service = service
	return w
}

func (w *town) system(address string) *actors.System {
	w.t.Helper()
	sys, err := actors.New(w.network.Join(address, actors.Options{}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	return sys
}

func (w *town) master(address string) *actortest.Probe {
	return actortest.NewProbe(w.t, w.system(address), masterName)
}

// infoOf is a master's in one of its lives.
func infoOf(address, id string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: &id, Ip: proto.Uint32(0), Port: proto.Uint32(1), Pid: proto.String(masterName + "@" + address)}
}

// register admits the agent, and tells how long that took.
func (w *town) register(m *actortest.Probe) time.Duration {
	w.t.Helper()
	began := time.Now()
	_, agent := actortest.Expect[*cluster.RegisterAgent](m, time.Hour)
	took := time.Since(began)
	id := &mesos.AgentID{Value: proto.String("S0")}
	m.Link(agent)
	m.Send(agent, &cluster.AgentRegistered{AgentId: id, MasterId: proto.String("M"), TotalPingTimeout: proto.Int64(int64(time.Hour))})
	actortest.Pass(time.Second)
	return took
}

// An agent is with a new leader within its backoff, for however long nobody led,
// and also when that is the old one started anew.
func TestAgentFollowsTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		actortest.Pass(time.Hour) // nobody leads yet
		first := w.master("m1:1")
		w.seeker.set(infoOf("m1:1", "A"), nil)
		if took := w.register(first); took > time.Second+10*time.Millisecond {
			t.Errorf("registered after %s", took)
		}
		w.network.Crash("m1:1")
		actortest.Pass(100 * time.Millisecond)
		// It may have tried again already, and doubts once more then.
		if got := slices.Compact(w.seeker.doubted()); !slices.Equal(got, []string{"m1:1>"}) {
			t.Errorf("doubts %v", got)
		}
		w.seeker.set(nil, nil)
		actortest.Pass(time.Hour)
		for _, leader := range []*mesos.MasterInfo{infoOf("m2:1", "B"), infoOf("m1:1", "C")} {
			m := w.master(strings.TrimPrefix(leader.GetPid(), masterName+"@"))
			began := time.Now()
			w.seeker.set(leader, nil)
			actortest.Expect[*cluster.ReregisterAgent](m, time.Hour)
			if took := time.Since(began); took > time.Second+10*time.Millisecond {
				t.Errorf("registered with %s after %s", leader.GetId(), took)
			}
		}
	})
}

// While the leader is away without anybody saying so, waits double; one that
// leads anew at the same address is tried at once all the same.
func TestLeaderThatIsBackIsTriedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.seeker.set(infoOf("m1:1", "A"), nil)
		actortest.Pass(time.Hour)
		m := w.master("m1:1")
		began := time.Now()
		w.seeker.set(infoOf("m1:1", "B"), nil)
		actortest.Expect[*cluster.RegisterAgent](m, time.Hour)
		if took := time.Since(began); took > time.Second+10*time.Millisecond {
			t.Errorf("registered after %s", took)
		}
	})
}

func TestAgentDoubtsWhoDoesNotLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		standby := w.master("m1:1")
		w.seeker.set(infoOf("m1:1", "A"), nil)
		_, agent := actortest.Expect[*cluster.RegisterAgent](standby, time.Hour)
		w.master("m3:1").Send(agent, &cluster.NotLeading{Leader: infoOf("m4:1", "D")}) // a stranger
		standby.Send(agent, &cluster.NotLeading{Leader: infoOf("m2:1", "B")})
		standby.Send(agent, &cluster.NotLeading{})
		actortest.Pass(100 * time.Millisecond)
		if got, want := w.seeker.doubted(), []string{"m1:1>m2:1", "m1:1>"}; !slices.Equal(got, want) {
			t.Errorf("doubts %v, want %v", got, want)
		}
		// A leader without an address is nobody.
		w.seeker.set(&mesos.MasterInfo{Id: proto.String("X")}, nil)
		actortest.Pass(time.Minute)
		w.seeker.set(infoOf("m2:1", "B"), nil)
		actortest.Expect[*cluster.RegisterAgent](w.master("m2:1"), time.Hour)
	})
}

func TestSearchThatFailsEndsTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		lost := errors.New("wrong password")
		w.seeker.set(nil, lost)
		<-w.service.Done()
		if _, err := w.service.End(); !errors.Is(err, lost) {
			t.Errorf("ended with %v", err)
		}
	})
}

type noSandboxes struct{}

func (noSandboxes) Run(_, _, _, _ string) string { return "" }
func (noSandboxes) Standalone(string) string     { return "" }
func (noSandboxes) Make(_, _, _, _, _ string) (string, error) {
	return "", errors.New("nothing runs here")
}
func (noSandboxes) Retire(string, time.Time)                 {}
func (noSandboxes) ForgetExit(string, string)                {}
func (noSandboxes) RetireInner(string, string, time.Time)    {}
func (noSandboxes) Reclaim(string)                           {}
func (noSandboxes) RetireAll(func(string) bool) error        { return nil }
func (noSandboxes) Collect(context.Context, time.Time) error { return nil }

type noVolumes struct{}

func (noVolumes) Path(state.Volume) string { return "" }

func (noVolumes) Make([]state.Volume) error { return errors.New("nothing is kept here") }

func (noVolumes) Remove([]state.Volume) error { return errors.New("nothing is kept here") }

func (noVolumes) Link(string, []state.VolumeLink) error { return errors.New("nothing is kept here") }

type noProcesses struct{}

func (noProcesses) StartHost(actors.PID, string) (HostProcess, error) {
	return nil, errors.New("nothing runs here")
}

func (noProcesses) WatchHost(int, uint64) (HostProcess, error) {
	return nil, errors.New("nothing runs here")
}

func (noProcesses) Sweep(context.Context, []state.Remains) (map[state.Program]int32, error) {
	return nil, nil
}

func (noProcesses) Strays(context.Context) ([]state.ContainerID, error) { return nil, nil }

// Only the leader's own silence counts, and only while it is linked.
func TestSilentLeader(t *testing.T) {
	const late = leaderSilence + 1
	for name, c := range map[string]struct {
		peer actors.PeerInfo
		want bool
	}{
		"silent":    {actors.PeerInfo{Address: "m:1", Linked: true, Silence: late}, true},
		"in time":   {actors.PeerInfo{Address: "m:1", Linked: true, Silence: leaderSilence}, false},
		"unlinked":  {actors.PeerInfo{Address: "m:1", Silence: late}, false},
		"otherwise": {actors.PeerInfo{Address: "m:2", Linked: true, Silence: late}, false},
	} {
		peers := []actors.PeerInfo{{Address: "host:0", Linked: true, Silence: time.Hour}, c.peer}
		if got := silent(peers, "m:1"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
