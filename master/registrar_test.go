package master_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"troupe/actors"
	"troupe/master"
	"troupe/master/registry"
	"troupe/master/store"
	"troupe/messages/mesos"
)

// gatedStore lets one write pass for each word.
type gatedStore struct {
	*store.Memory
	began chan int // how many changes
	pass  chan struct{}
}

func (s gatedStore) Write(ctx context.Context, changes []registry.Change) error {
	s.began <- len(changes)
	<-s.pass
	return s.Memory.Write(ctx, changes)
}

func admit(i int) registry.AdmitAgent {
	id := fmt.Sprintf("S%d", i)
	return registry.AdmitAgent{Agent: &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}, Hostname: &id}}
}

// TestWhatWaitsIsWrittenTogether asks for ten operations while one is being
// written, and counts two writes, with answers in order and not before.
func TestWhatWaitsIsWrittenTogether(t *testing.T) {
	sys, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(context.Background())
	s := gatedStore{store.NewMemory("c"), make(chan int), make(chan struct{})}
	r := master.NewRegistrar(s, registry.Registry{}, time.Minute)
	pid, err := sys.Spawn(master.RegistrarName, r)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 20)
	ask := func(name string, op registry.Operation) {
		sys.Do(pid, func(c *actors.Context) {
			r.Apply(c, op, func(err error) { answers <- fmt.Sprint(name, " ", errors.Is(err, registry.ErrConflict)) })
		})
	}
	ask("first", admit(0))
	if n := <-s.began; n != 1 {
		t.Fatalf("%d changes in the first write", n)
	}
	for i := 1; i < 10; i++ {
		ask(fmt.Sprint(i), admit(i))
	}
	ask("conflict", registry.MarkUnreachable{AgentID: "unknown"})
	asked := make(chan struct{})
	sys.Do(pid, func(*actors.Context) { close(asked) })
	<-asked
	if len(answers) > 0 || r.Queued() != 10 {
		t.Fatalf("%d answers before anything is durable; %d operations wait", len(answers), r.Queued())
	}
	s.pass <- struct{}{}
	if n := <-s.began; n != 9 {
		t.Errorf("%d changes in the second write", n)
	}
	s.pass <- struct{}{}
	want := []string{"first false", "1 false", "2 false", "3 false", "4 false", "5 false", "6 false", "7 false", "8 false", "9 false", "conflict true"}
	for _, w := range want {
		if got := <-answers; got != w {
			t.Errorf("the answer is %q, want %q", got, w)
		}
	}
	// What changes nothing is answered without a write.
	ask("again", admit(3))
	if got := <-answers; got != "again false" {
		t.Errorf("the answer is %q", got)
	}
	figures := make(map[string]float64)
	r.Writes().Put(time.Now(), "w", func(key string, value float64) { figures[key] = value })
	if figures["w/count"] != 2 || figures["w/min"] <= 0 || figures["w/max"] < figures["w"] {
		t.Errorf("two writes are told as %v", figures)
	}
}
