package actortest

import (
	"context"
	"testing"
	"time"

	"troupe/actors"
)

// patience bounds the end of a system; it is never waited for when all is well.
const patience = 3 * time.Minute

// NewSystem makes a system, with OnPanic its own, and closes it when the test
// ends. An actor that panics, and a system that does not end, fail the test. It
// is not for systems that a Stepper runs.
func NewSystem(t testing.TB, o actors.Options) *actors.System {
	t.Helper()
	o.OnPanic = func(p actors.Panic) { t.Errorf("%v panicked: %v", p.PID, p.Value) }
	s, err := actors.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}
