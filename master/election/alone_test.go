package election_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/messages/mesos"
)

func info(id string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: proto.String(id), Ip: proto.Uint32(1), Port: proto.Uint32(5050)}
}

var errOpen = errors.New("opened")

func alone() election.Contest {
	return election.Alone(info("m"), func(_ context.Context, o election.Opening) (election.Registry, error) {
		if o.NewCluster != "c" {
			return nil, errors.New("another opening")
		}
		return nil, errOpen
	})
}

func TestAloneLeadsUntilClosed(t *testing.T) {
	c := alone()
	term, err := c.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := term.Registry(t.Context(), election.Opening{NewCluster: "c"}); !errors.Is(err, errOpen) {
		t.Errorf("the registry was opened with %v", err)
	}
	select {
	case <-term.Lost():
		t.Fatal("lost at once")
	default:
	}
	if term.Err() != nil {
		t.Errorf("a term that lasts has the error %v", term.Err())
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	<-term.Lost()
	if !errors.Is(term.Err(), election.ErrClosed) {
		t.Errorf("it ended with %v", term.Err())
	}
	if _, err := c.Leader(t.Context(), info("m")); !errors.Is(err, election.ErrClosed) {
		t.Errorf("a closed contest says %v", err)
	}
}

func TestAloneIsDetected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := alone()
		if got, err := c.Leader(t.Context(), info("other")); got != nil || err != nil {
			t.Errorf("before the election %v leads, %v", got, err)
		}
		found := make(chan *mesos.MasterInfo, 1)
		go func() {
			got, err := c.Leader(t.Context(), nil)
			if err != nil {
				t.Error(err)
			}
			found <- got
		}()
		synctest.Wait()
		if len(found) != 0 {
			t.Fatal("a leader was found before the election")
		}
		if _, err := c.Lead(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := <-found; got.GetId() != "m" {
			t.Errorf("found %v", got)
		}
		if got, err := c.Leader(t.Context(), info("other")); got.GetId() != "m" || err != nil {
			t.Errorf("after another leader came %v, %v", got, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Leader(ctx, info("m")); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled wait says %v", err)
		}
	})
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b *mesos.MasterInfo
		want bool
	}{
		{nil, nil, true}, {info("a"), nil, false}, {nil, info("a"), false}, {info("a"), info("a"), true}, {info("a"), info("b"), false},
	} {
		if got := election.Same(c.a, c.b); got != c.want {
			t.Errorf("Same(%v, %v) is %v", c.a, c.b, got)
		}
	}
}
