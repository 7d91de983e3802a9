package detector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// ensemble plays masters that are asked who leads.
type ensemble struct {
	mu     sync.Mutex
	says   map[string]answer
	silent map[string]bool // until the question's time is over
	asked  []string
	known  map[string][]string
}

func newEnsemble() *ensemble {
	return &ensemble{says: map[string]answer{}, silent: map[string]bool{}}
}

func (e *ensemble) leader(ctx context.Context, address string) (answer, error) {
	e.mu.Lock()
	e.asked = append(e.asked, address)
	a, there := e.says[address]
	silent := e.silent[address]
	e.mu.Unlock()
	if silent {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		<-ctx.Done()
		return answer{}, ctx.Err()
	}
	if !there {
		return answer{}, errors.New("does not answer: refused")
	}
	return a, nil
}

func (e *ensemble) members(_ context.Context, address string) []string { return e.known[address] }

func (e *ensemble) set(address string, a answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.says[address] = a
}

func (e *ensemble) end(address string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.says, address)
}

func (e *ensemble) questions() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asked)
}

func leaderAt(address, id string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: proto.String(id), Ip: proto.Uint32(0), Port: proto.Uint32(1), Pid: proto.String("master@" + address)}
}

func leads(address, id string) answer {
	return answer{leading: true, leader: leaderAt(address, id)}
}

func names(address, id string) answer { return answer{leader: leaderAt(address, id)} }

var three = []string{"a:1", "b:1", "c:1"}

func (e *ensemble) detector(candidates ...string) *list {
	return newList(candidates, e, Options{}.withDefaults())
}

func leaderOf(t *testing.T, l *list, known *mesos.MasterInfo) *mesos.MasterInfo {
	t.Helper()
	m, err := l.Leader(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLeaderIsFoundFromAnyMaster(t *testing.T) {
	for _, start := range [][]string{three, {"a:1"}, {"c:1"}, {"c:1", "a:1"}} {
		e := newEnsemble()
		e.says = map[string]answer{"a:1": names("b:1", "B"), "b:1": leads("b:1", "B"), "c:1": names("b:1", "B")}
		if got := leaderOf(t, e.detector(start...), nil); got.GetId() != "B" {
			t.Errorf("from %v: %v", start, got)
		}
	}
}

// Whom another names is believed only when it says so itself.
func TestDeadLeaderIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		e.says = map[string]answer{"a:1": names("c:1", "C"), "b:1": names("c:1", "C")}
		l := e.detector(three...)
		time.AfterFunc(3*time.Second, func() { e.set("b:1", leads("b:1", "B")) })
		began := time.Now()
		if got := leaderOf(t, l, nil); got.GetId() != "B" {
			t.Errorf("found %v", got)
		}
		if took := time.Since(began) - 3*time.Second; took < 0 || took > longestBackoff*3 {
			t.Errorf("it took %s after the election", took)
		}
	})
}

func TestDoubtBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		e.says = map[string]answer{"a:1": leads("a:1", "A"), "b:1": names("a:1", "A")}
		l := e.detector("a:1", "b:1")
		a := leaderOf(t, l, nil)
		l.Doubt("b:1", "") // about nobody who leads
		waiting := make(chan *mesos.MasterInfo, 1)
		go func() {
			m, err := l.Leader(t.Context(), a)
			if err != nil {
				t.Error(err)
			}
			waiting <- m
		}()
		synctest.Wait()
		if len(waiting) != 0 {
			t.Fatal("a change was told of that did not happen")
		}
		e.end("a:1")
		l.Doubt("a:1", "")
		if m := <-waiting; m != nil {
			t.Fatalf("%v leads, although it is doubted", m)
		}
		l.Doubt("a:1", "") // it is known
		time.AfterFunc(5*time.Second, func() { e.set("a:1", leads("a:1", "A2")) })
		if m := leaderOf(t, l, nil); m.GetId() != "A2" {
			t.Errorf("found %v", m)
		}
	})
}

// A leader that is silent, as a stopped process is, is followed by the one that
// leads meanwhile; without one it stays who it is.
func TestSuspectedLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		e.says = map[string]answer{"a:1": leads("a:1", "A"), "b:1": names("a:1", "A"), "c:1": names("a:1", "A")}
		l := e.detector(three...)
		a := leaderOf(t, l, nil)
		next := make(chan *mesos.MasterInfo, 1)
		go func() {
			m, err := l.Leader(t.Context(), a)
			if err != nil {
				t.Error(err)
			}
			next <- m
		}()
		e.mu.Lock()
		e.silent["a:1"] = true
		e.mu.Unlock()
		before := e.questions()
		for range 3 {
			l.Suspect("a:1") // one question at a time
		}
		l.Suspect("b:1") // it does not lead
		<-time.After(time.Minute)
		if n := e.questions() - before; n == 0 || n > 4 || len(next) != 0 {
			t.Fatalf("after %d questions: %d changes of leaders", n, len(next))
		}
		e.set("b:1", names("c:1", "C"))
		e.set("c:1", leads("c:1", "C"))
		l.Suspect("a:1")
		if m := <-next; m.GetId() != "C" {
			t.Errorf("%v leads", m)
		}
		l.Suspect("a:1") // it leads no more
		synctest.Wait()
		if m := leaderOf(t, l, a); m.GetId() != "C" {
			t.Errorf("%v leads", m)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A hint is asked first, whether it is listed or not.
func TestHints(t *testing.T) {
	for _, hint := range []string{"c:1", "elsewhere:1"} {
		e := newEnsemble()
		e.says = map[string]answer{"a:1": leads("a:1", "A")}
		l := e.detector(three...)
		leaderOf(t, l, nil)
		e.says = map[string]answer{"a:1": names(hint, "X"), hint: leads(hint, "X")}
		e.asked = nil
		l.Doubt("a:1", hint)
		if m := leaderOf(t, l, nil); m.GetId() != "X" || e.asked[0] != hint || len(e.asked) != 1 {
			t.Errorf("hint %s: found %v after asking %v", hint, m, e.asked)
		}
	}
	e := newEnsemble()
	e.says["a:1"] = leads("a:1", "A")
	l := e.detector("a:1")
	leaderOf(t, l, nil)
	l.Doubt("a:1", "no address")
	if m := leaderOf(t, l, nil); m.GetId() != "A" {
		t.Errorf("found %v", m)
	}
}

// Who was given up is asked last, so that a host that does not answer at all
// delays nobody.
func TestDoubtedIsAskedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			e := newEnsemble()
			e.says["a:1"] = leads("a:1", "A")
			l := e.detector(three...)
			leaderOf(t, l, nil)
			e.says = map[string]answer{"b:1": leads("b:1", "B")}
			e.silent["a:1"] = true
			l.Doubt("a:1", "")
			began := time.Now()
			leaderOf(t, l, nil)
			if took := time.Since(began); took != 0 {
				t.Fatalf("it took %s", took)
			}
		}
	})
}

// While nobody leads, the pauses grow to their limit and are spread.
func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := func(after time.Duration) int {
			e := newEnsemble()
			e.says["a:1"] = answer{}
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			_, err := e.detector("a:1").Leader(ctx, nil)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "a:1 "+saysNobody) {
				t.Errorf("error %v", err)
			}
			return e.questions()
		}
		if n := count(time.Second); n < 4 || n > 60 {
			t.Errorf("%d questions in the first second", n)
		}
		// A mean of one a second, for random(0, 2 s).
		if n := count(10 * time.Minute); n < 500 || n > 720 {
			t.Errorf("%d questions in ten minutes", n)
		}
	})
}

// A standby that is cut off and knows nobody does not keep others from asking the
// rest.
func TestEveryMasterIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			e := newEnsemble()
			e.says = map[string]answer{"a:1": {}, "b:1": {}, "c:1": leads("c:1", "C")}
			if m := leaderOf(t, e.detector(three...), nil); m.GetId() != "C" {
				t.Fatalf("found %v", m)
			}
		}
	})
}

func TestWaitersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		l := e.detector(three...)
		ended := make(chan error, 2)
		go func() {
			_, err := l.Leader(t.Context(), nil)
			ended <- err
		}()
		<-time.After(time.Minute)
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		err := <-ended
		for _, want := range []string{"a:1 does not answer: refused", "b:1 ", "c:1 ", "closed"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
		if !errors.Is(err, ErrClosed) {
			t.Errorf("error %v is not ErrClosed", err)
		}
	})
}

func TestWaitForAChangeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		e.says["a:1"] = leads("a:1", "A")
		l := e.detector("a:1")
		a := leaderOf(t, l, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Leader(ctx, a); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestMasters(t *testing.T) {
	e := newEnsemble()
	e.says = map[string]answer{"a:1": names("d:1", "D"), "b:1": names("d:1", "D"), "d:1": leads("d:1", "D")}
	got, err := e.detector("b:1", "c:1", "a:1").Masters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, s := range got {
		text = append(text, fmt.Sprintf("%s %t %t %s", s.Address, s.Leading, s.Err != nil, s.Leader.GetId()))
	}
	if want := []string{"a:1 false false D", "b:1 false false D", "c:1 false true ", "d:1 true false D"}; !slices.Equal(text, want) {
		t.Errorf("%v, want %v", text, want)
	}
}

// Masters that know each other are listed from any of them.
func TestMastersNameEachOther(t *testing.T) {
	e := newEnsemble()
	e.says = map[string]answer{"a:1": leads("a:1", "A"), "alias:1": leads("a:1", "A"), "b:1": names("a:1", "A")}
	e.known = map[string][]string{"alias:1": three, "b:1": three}
	for start, want := range map[string]string{"alias:1": "alias:1 b:1 c:1", "b:1": "a:1 b:1 c:1"} {
		got, err := e.detector(start).Masters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, s := range got {
			text = append(text, s.Address)
		}
		if strings.Join(text, " ") != want {
			t.Errorf("from %s: %v, want %s", start, text, want)
		}
	}
}

func TestSameLeader(t *testing.T) {
	a := leaderAt("a:1", "A")
	for _, test := range []struct {
		x, y *mesos.MasterInfo
		want bool
	}{
		{nil, nil, true},
		{a, nil, false},
		{nil, a, false},
		{a, leaderAt("b:1", "A"), true},
		{a, leaderAt("a:1", "B"), false},
		{a, nameless("a:1"), true},
		{nameless("b:1"), a, false},
	} {
		if got := same(test.x, test.y); got != test.want {
			t.Errorf("same(%v, %v) = %t", test.x, test.y, got)
		}
	}
}

// An operator finds in the log why an agent does not register.
func TestSearchIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble()
		core, lines := observer.New(zap.WarnLevel)
		l := newList([]string{"a:1"}, e, Options{Logger: zap.New(core)}.withDefaults())
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := l.Leader(ctx, nil); err == nil {
			t.Fatal("somebody leads")
		}
		if n := lines.Len(); n < 3 || n > 5 {
			t.Errorf("%d lines in two minutes", n)
		}
		if seen := lines.All()[0].ContextMap()["seen"]; seen != "a:1 does not answer: refused" {
			t.Errorf("seen %q", seen)
		}
	})
}
