package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/check"
	"troupe/executor/executortest"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// script answers the n-th question of a check, after a while.
type script struct {
	takes   time.Duration
	lingers time.Duration // when taken back
	answer  func(n int) check.Result

	mu    sync.Mutex
	begun time.Time
	asked []time.Duration
	ended int // questions that were taken back
}

func (s *script) Probe(ctx context.Context, _ check.Probe) check.Result {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, time.Since(s.begun))
	s.mu.Unlock()
	timer := time.NewTimer(s.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.answer(n)
	case <-ctx.Done():
		<-time.After(s.lingers)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended++
		return check.Result{Err: ctx.Err()}
	}
}

// times are the seconds at which questions were asked.
func (s *script) times() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.asked)
}

// author is a handler with one crew.
type author struct {
	executor.Base
	crew *Crew
}

func (a *author) Launch(d *executor.Driver, info *mesos.TaskInfo) {
	a.crew.Start(d, Task{
		Info: info, TellsKilling: true, Prepare: func(context.Context) (program.Spec, error) { return program.Spec{Dir: "/"}, nil },
		Ended: func(mesos.TaskState) { d.Finish() },
	})
}

func (a *author) Kill(_ *executor.Driver, id string, p *mesos.KillPolicy) { a.crew.Kill(id, p) }

func (a *author) Acknowledged(_ *executor.Driver, id string, uuid []byte) {
	a.crew.Acknowledged(id, uuid)
}

func (a *author) Ended(*executor.Driver, error) { a.crew.Leave() }

// bubble is an agent and an executor under virtual time.
type bubble struct {
	*executortest.Agent
	launcher *executortest.Launcher
	gone     chan struct{}
}

// within runs a test in which s answers all checks of the task "T".
func within(t *testing.T, s *script, info *mesos.TaskInfo, run func(t *testing.T, b *bubble, p *executortest.Process)) {
	synctest.Test(t, func(t *testing.T) {
		sys, err := actors.New(actors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := sys.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		b := &bubble{Agent: executortest.NewAgent(t, sys), launcher: executortest.NewLauncher(), gone: make(chan struct{})}
		a := &author{crew: NewCrew(b.launcher, func() { close(b.gone) })}
		a.crew.prober = func(program.Spec) Prober { return s }
		actor, err := executor.NewActor(sys, executor.Config{FrameworkID: "F", ExecutorID: "E", Agent: b.PID}, a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sys.Spawn("executor", actor); err != nil {
			t.Fatal(err)
		}
		b.Subscribed(t)
		s.begun = time.Now()
		info.TaskId = &mesos.TaskID{Value: proto.String("T")}
		b.Launch(info)
		p := b.launcher.Next(t)
		b.WantStates(t, "T", mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING)
		run(t, b, p)
		<-b.gone
	})
}

// TestDefaultTimings: asked after 15 s, and 10 s after each answer; nobody is
// asked after the kill.
func TestDefaultTimings(t *testing.T) {
	s := &script{takes: 2 * time.Second, answer: func(int) check.Result { return check.Result{Err: errors.New("no")} }}
	info := &mesos.TaskInfo{HealthCheck: &mesos.HealthCheck{
		Type: mesos.HealthCheck_TCP.Enum(), Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: proto.Uint32(1)},
	}}
	within(t, s, info, func(t *testing.T, b *bubble, p *executortest.Process) {
		for n := range 3 {
			st := b.Update(t, "T")
			if st.GetState() != mesos.TaskState_TASK_RUNNING || st.Healthy == nil || st.GetHealthy() {
				t.Errorf("update %d is %v", n, st)
			}
		}
		if g := p.Killed(t); g != DefaultGrace {
			t.Errorf("grace %s", g)
		}
		p.Exit(15)
		if st := b.WantStates(t, "T", mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_KILLED); st.Healthy == nil || st.GetHealthy() {
			t.Errorf("the end is %v", st)
		}
		if got := s.times(); got != "[15s 27s 39s]" {
			t.Errorf("asked at %s", got)
		}
	})
}

// TestAKillTakesQuestionsBack.
func TestAKillTakesQuestionsBack(t *testing.T) {
	s := &script{takes: time.Hour}
	within(t, s, checked(), func(t *testing.T, b *bubble, p *executortest.Process) {
		timer := time.NewTimer(20 * time.Second)
		<-timer.C
		b.Kill("T")
		p.Killed(t)
		synctest.Wait()
		s.mu.Lock()
		if len(s.asked) != 2 || s.ended != 2 {
			t.Errorf("%d questions, of which %d were taken back", len(s.asked), s.ended)
		}
		s.mu.Unlock()
		p.Exit(0)
		b.WantStates(t, "T", mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_KILLED)
	})
}

// TestNothingIsLeft: an executor is not gone while a check's question holds
// something.
func TestNothingIsLeft(t *testing.T) {
	s := &script{takes: time.Hour, lingers: time.Minute}
	within(t, s, checked(), func(t *testing.T, b *bubble, p *executortest.Process) {
		<-time.After(20 * time.Second)
		p.Exit(0)
		b.WantStates(t, "T", mesos.TaskState_TASK_FINISHED)
		told := time.Now()
		<-b.gone
		if waited := time.Since(told); waited != s.lingers {
			t.Errorf("gone after %s, want %s", waited, s.lingers)
		}
	})
}

// TestNewsIsHeldBackWhileNobodyHears: what flaps while the agent acknowledges
// nothing is told up to a bound; then the newest, once there is room.
func TestNewsIsHeldBackWhileNobodyHears(t *testing.T) {
	s := &script{answer: func(n int) check.Result { return check.Result{Code: n % 200} }}
	info := &mesos.TaskInfo{Check: &mesos.CheckInfo{
		Type: mesos.CheckInfo_COMMAND.Enum(), Command: &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{Value: proto.String("x")}},
	}}
	within(t, s, info, func(t *testing.T, b *bubble, p *executortest.Process) {
		b.Hold(true)
		timer := time.NewTimer(15*time.Second + 99*10*time.Second + time.Second)
		<-timer.C
		var all []*mesos.TaskStatus
		for n := range maxUnheard {
			st := b.Update(t, "T")
			if got := st.GetCheckStatus().GetCommand().GetExitCode(); got != int32(n) {
				t.Fatalf("update %d is %v", n, st)
			}
			all = append(all, st)
		}
		b.Event(executortest.Acknowledgement(all[7]))
		if got := b.Update(t, "T"); got.GetCheckStatus().GetCommand().GetExitCode() != 99 {
			t.Errorf("then came %v", got)
		} else {
			all = append(slices.Delete(all, 7, 8), got)
		}
		b.Event(executortest.Acknowledgement(all[0]))
		synctest.Wait()
		p.Exit(0)
		last := b.WantStates(t, "T", mesos.TaskState_TASK_FINISHED)
		for _, st := range append(all[1:], last) {
			b.Event(executortest.Acknowledgement(st))
		}
	})
}

func TestMaxCompletionTime(t *testing.T) {
	info := &mesos.TaskInfo{MaxCompletionTime: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(time.Hour))}}
	within(t, &script{}, info, func(t *testing.T, b *bubble, p *executortest.Process) {
		begun := time.Now()
		timer := time.NewTimer(time.Hour - time.Second)
		<-timer.C
		if g := p.Killed(t); g != 0 || time.Since(begun) != time.Hour {
			t.Errorf("killed after %s with a grace of %s", time.Since(begun), g)
		}
		p.Exit(9)
		if st := b.WantStates(t, "T", mesos.TaskState_TASK_FAILED); st.GetReason() != mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED {
			t.Errorf("the end is %v", st)
		}
	})
}
