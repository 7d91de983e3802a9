package isolator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/plan"
)

// bare can only prepare.
type bare struct {
	name string
	log  *[]string
	fail error
}

func (b bare) Name() string { return b.name }

func (b bare) Prepare(_ context.Context, _ *Container, p *plan.Plan) error {
	*b.log = append(*b.log, "prepare "+b.name)
	if b.fail == nil {
		p.Env = append(p.Env, b.name+"=1")
	}
	return b.fail
}

// able can all the rest, too.
type able struct {
	bare
	limit *Limit
	found [][]string
	err   error // of all that is not Prepare
}

func (a able) did(what string) error {
	*a.log = append(*a.log, what+" "+a.name)
	return a.err
}

func (a able) Update(*Container) error { return a.did("update") }

func (a able) Usage(_ *Container, u *mesos.ResourceStatistics) error {
	u.Processes = proto.Uint32(u.GetProcesses() + 1)
	return a.did("measure")
}

func (a able) Watch(_ context.Context, _ *Container, limited func(*Limit)) error {
	if a.limit != nil {
		limited(a.limit)
	}
	return a.did("watch")
}
func (a able) Check(*Container) (*Limit, error) { return a.limit, a.did("check") }
func (a able) Cleanup(ctx context.Context, _ *Container) error {
	return errors.Join(a.did("clean up"), ctx.Err())
}
func (a able) Recover(context.Context) ([][]string, error) { return a.found, a.did("recover") }
func (a able) Kill(context.Context, *Container) error      { return a.did("kill") }

// three is a set of which the second can only prepare.
func three(log *[]string, edit func(first, last *able)) *Set {
	first, last := able{bare: bare{name: "a", log: log}}, able{bare: bare{name: "c", log: log}}
	if edit != nil {
		edit(&first, &last)
	}
	return NewSet(first, bare{name: "b", log: log}, last)
}

func TestSetsKeepTheirOrder(t *testing.T) {
	var log []string
	s, c := three(&log, nil), &Container{ID: []string{"x"}}
	var p plan.Plan
	var u mesos.ResourceStatistics
	ctx := t.Context()
	if err := errors.Join(s.Prepare(ctx, c, &p), s.Update(c), s.Usage(c, &u), s.Watch(ctx, c, nil), s.Kill(ctx, c), s.Cleanup(ctx, c)); err != nil {
		t.Fatal(err)
	}
	want := "prepare a,prepare b,prepare c,update a,update c,measure a,measure c,watch a,watch c,kill a,kill c,clean up c,clean up a"
	if got := strings.Join(log, ","); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !slices.Equal(p.Env, []string{"a=1", "b=1", "c=1"}) || u.GetProcesses() != 2 {
		t.Errorf("%v, %v", p.Env, &u)
	}
	if !s.Has("b") || s.Has("d") || !slices.Equal(s.Killers().Names(), []string{"a", "c"}) {
		t.Errorf("the set has %v, and kills by %v", s.Names(), s.Killers().Names())
	}
}

// TestFailedPreparationIsUndone, also when it was given up meanwhile.
func TestFailedPreparationIsUndone(t *testing.T) {
	var log []string
	ctx, cancel := context.WithCancel(t.Context())
	s := three(&log, func(_, last *able) { last.fail = errors.New("no room") })
	err := s.Prepare(ctx, &Container{}, &plan.Plan{})
	if err == nil || err.Error() != "isolator c: prepare: no room" {
		t.Errorf("error is %v", err)
	}
	if got, want := strings.Join(log, ","), "prepare a,prepare b,prepare c,clean up a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	cancel()
	log = nil
	if err := s.Prepare(ctx, &Container{}, &plan.Plan{}); !errors.Is(err, context.Canceled) || len(log) != 0 {
		t.Errorf("given up: %v, %v", err, log)
	}
}

// TestAllAreTried, whatever the others say.
func TestAllAreTried(t *testing.T) {
	var log []string
	broken := errors.New("broken")
	s := three(&log, func(first, last *able) { first.err, last.err = broken, broken })
	c, ctx := &Container{}, t.Context()
	_, recovered := s.Recover(ctx)
	_, checked := s.Check(c)
	for did, err := range map[string]error{
		"update": s.Update(c), "measure": s.Usage(c, &mesos.ResourceStatistics{}), "kill": s.Kill(ctx, c),
		"clean up": s.Cleanup(ctx, c), "recover": recovered, "check": checked,
	} {
		for _, name := range []string{"a", "c"} {
			if want := fmt.Sprintf("isolator %s: %s: broken", name, did); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not have %q", err, want)
			}
		}
	}
	if err := s.Watch(ctx, c, nil); !errors.Is(err, broken) {
		t.Errorf("watched: %v", err)
	}
}

func TestLimits(t *testing.T) {
	var log []string
	over := &Limit{Message: "too much"}
	s := three(&log, func(first, last *able) { first.err, last.limit = errors.New("broken"), over })
	if l, err := s.Check(&Container{}); l != over || err != nil {
		t.Errorf("%v, %v", l, err)
	}
	s = three(&log, func(_, last *able) { last.limit = over })
	var told *Limit
	if err := s.Watch(t.Context(), &Container{}, func(l *Limit) { told = l }); err != nil || told != over {
		t.Errorf("%v, %v", told, err)
	}
}

// TestRecover: each once, and what is in others before these.
func TestRecover(t *testing.T) {
	var log []string
	s := three(&log, func(first, last *able) {
		first.found = [][]string{{"x"}, {"x", "y"}, {"w"}}
		last.found = [][]string{{"x", "y"}, {"x"}, {"x", "y", "z"}}
	})
	got, err := s.Recover(t.Context())
	if want := [][]string{{"x", "y", "z"}, {"x", "y"}, {"w"}, {"x"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}
