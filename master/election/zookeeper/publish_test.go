package zookeeper_test

import (
	"context"
	"strings"
	"testing"

	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
)

// A leader that is elected elsewhere is shown as Mesos's clients expect: the one
// that came last, whatever those before it left, and nobody once it ends.
func published(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	d := zookeeper.NewDetector(o)
	defer d.Close()
	publish := func(id string) (end func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- zookeeper.Publish(ctx, o, info(id)) }()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("publishing %s ended with %v", id, err)
			}
		}
	}
	endFirst := publish("first")
	known := leader(t, d, nil)
	for known.GetId() != "first" {
		known = leader(t, d, known)
	}
	c := raw(t, e)
	if err := c.Delete(candidateOf(t, c, o.Place.Path), -1); err != nil {
		t.Fatal(err)
	}
	until(t, "it is shown again", func() bool {
		names, _, err := c.Children(o.Place.Path)
		return err == nil && len(names) == 1
	})
	endFirst()
	// What another leader left, that died a moment ago.
	left := contest(t, o, "left")
	lead(t, left)
	endSecond := publish("second")
	for known.GetId() != "second" {
		known = leader(t, d, known)
	}
	endSecond()
	for known != nil {
		known = leader(t, d, known)
	}
	o.Place.User, o.Place.Password = "troupe", "secret"
	o.Place.Path += "/secret"
	lead(t, contest(t, o, "m"))
	o.Place.Password = "wrong"
	if err := zookeeper.Publish(t.Context(), o, info("stranger")); err == nil || !strings.Contains(err.Error(), "another user or password") {
		t.Errorf("a stranger publishes: %v", err)
	}
}
