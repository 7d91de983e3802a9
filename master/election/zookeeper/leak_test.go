package zookeeper_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
)

// What was closed leaves nothing behind: leaders, candidates and detectors,
// whether or not ZooKeeper answers.
func TestClosedSessionsLeaveNothing(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	o := options(t, e)
	o.SessionTimeout = time.Second
	before := runtime.NumGoroutine()
	for _, hung := range []bool{false, true} {
		var open []*zookeeper.Contest
		ended := make(chan error, 10)
		for i := range 5 {
			c := zookeeper.NewContest(o, info(string(rune('a'+i))), opener)
			open = append(open, c)
			if i == 0 {
				lead(t, c)
				continue
			}
			go func() {
				_, err := c.Lead(t.Context())
				ended <- err
			}()
		}
		for _, c := range open {
			leader(t, c, nil)
		}
		if hung {
			e.Pause(0)
		}
		for _, c := range open {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for range open[1:] {
			// One may have been elected when those before it were closed.
			if err := <-ended; err != nil && !errors.Is(err, election.ErrClosed) {
				t.Errorf("a closed candidate ended with %v", err)
			}
		}
	}
	e.Continue(0)
	until(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}
