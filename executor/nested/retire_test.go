package nested_test

import (
	"testing"
	"time"

	"troupe/actors"
	"troupe/executor/nested"
	"troupe/messages/cluster"
	"troupe/messages/validate"
)

// retiring is a rig whose nest says which sandboxes are of no more use.
func retiring(t *testing.T) (r *rig, told func() (key string, reclaimed bool)) {
	heard := make(chan *cluster.SandboxRetired, 64)
	r = newRig(t, func(o *nested.Options) { o.Retired = func(s *cluster.SandboxRetired) { heard <- s } })
	return r, func() (string, bool) {
		t.Helper()
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case s := <-heard:
			if s.GetSince() == 0 {
				t.Errorf("%v does not say since when", s)
			}
			return validate.ContainerKey(s.GetContainerId()), s.GetReclaimed()
		case <-late.C:
			t.Fatal("nobody is told of a sandbox")
			return "", false
		}
	}
}

// remembered are the keys that an agent which comes back is told.
func (r *rig) remembered() []string {
	keys := make(chan []string, 1)
	r.sys.Do(r.host, func(*actors.Context) {
		var list []string
		for _, s := range r.nest.Retired() {
			list = append(list, validate.ContainerKey(s.GetContainerId()))
		}
		keys <- list
	})
	return <-keys
}

// TestSandboxIsRetired when its container has ended, and reclaimed when that is
// removed. A session has none.
func TestSandboxIsRetired(t *testing.T) {
	r, told := retiring(t)
	v := r.visitor()
	v.want(session("R.s"), done, "")
	r.launcher.Next(t).Exit(0)
	for _, name := range []string{"R.a", "alone"} {
		v.want(launch(name), done, "")
		p := r.launcher.Next(t)
		if list := r.remembered(); len(list) > 0 {
			t.Errorf("%v run, or have no sandbox", list)
		}
		p.Exit(0)
		if key, reclaimed := told(); key != name || reclaimed {
			t.Errorf("told of %s, reclaimed %v", key, reclaimed)
		}
		if list := r.remembered(); len(list) != 1 || list[0] != name {
			t.Errorf("remembered are %v", list)
		}
		v.want(remove(name), done, "")
		if key, reclaimed := told(); key != name || !reclaimed {
			t.Errorf("then told of %s, reclaimed %v", key, reclaimed)
		}
	}
	v.want(launch("R.b"), done, "")
	r.launcher.Next(t).Exit(0)
	told()
	ended := make(chan struct{})
	r.sys.Do(r.host, func(*actors.Context) { r.nest.End("R", func() { close(ended) }) })
	<-ended
	if list := r.remembered(); len(list) > 0 {
		t.Errorf("%v go with their executor's", list)
	}
}
