package actors

import (
	"strconv"
	"sync"
	"testing"
)

// TestTableWhileItChanges has readers find what stays, and only that, while
// others come and go and the table grows and empties.
func TestTableWhileItChanges(t *testing.T) {
	table := newTable()
	named := func(name string) *Context { return &Context{self: &origin{pid: PID{Name: name}}} }
	stays := make([]*Context, 200)
	for i := range stays {
		stays[i] = named("stays" + strconv.Itoa(i))
		if !table.add(stays[i]) {
			t.Fatal("a free name is taken")
		}
	}
	var readers sync.WaitGroup
	over := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				for _, c := range stays {
					if table.get(c.self.pid.Name) != c {
						t.Errorf("%s is not found", c.self.pid.Name)
						return
					}
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	for round := range 3 {
		var goes []*Context
		for i := range 5000 {
			c := named("goes" + strconv.Itoa(i))
			if !table.add(c) || table.add(named(c.self.pid.Name)) {
				t.Fatalf("round %d: %s: not free, or free twice", round, c.self.pid.Name)
			}
			goes = append(goes, c)
		}
		if n := len(table.all()); n != 5200 {
			t.Errorf("%d actors, want 5200", n)
		}
		for _, c := range goes {
			table.remove(named(c.self.pid.Name)) // another of the name: nothing happens
			table.remove(c)
			table.remove(c)
			if table.get(c.self.pid.Name) != nil {
				t.Fatalf("%s is still found", c.self.pid.Name)
			}
		}
	}
	close(over)
	readers.Wait()
	for _, c := range stays {
		table.remove(c)
	}
	for i := range table.shards {
		if s := &table.shards[i]; s.count != 0 || s.chains.Load() != nil {
			t.Errorf("shard %d keeps %d entries", i, s.count)
		}
	}
}
