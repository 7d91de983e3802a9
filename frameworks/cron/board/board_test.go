package board

import (
	"fmt"
	"sync"
	"testing"

	"troupe/frameworks/cron/plan"
)

func view(name string) *plan.View { return &plan.View{Job: &plan.Job{Name: name}} }

func TestWhatWasPublishedIsThere(t *testing.T) {
	var b Board
	if b.Job("a") != nil || len(b.Jobs()) != 0 {
		t.Fatal("an empty board has jobs")
	}
	first := view("b")
	b.Publish(plan.Publish{Name: "b", View: first})
	b.Publish(plan.Publish{Name: "a", View: view("a")})
	if all := b.Jobs(); len(all) != 2 || all[0].Job.Name != "a" || all[1] != first {
		t.Fatalf("jobs: %v", all)
	}
	b.Publish(plan.Publish{Name: "a"})
	b.Publish(plan.Publish{Name: "never"})
	if all := b.Jobs(); len(all) != 1 || all[0] != first || b.Job("b") != first || b.Job("a") != nil {
		t.Fatalf("jobs: %v", all)
	}
}

func TestWatchersSeeEveryChangeUntilTheyStop(t *testing.T) {
	var b Board
	var seen []string
	stop := b.Watch(func(name string, before, now *plan.View) {
		seen = append(seen, fmt.Sprintf("%s:%t:%t", name, before != nil, now != nil))
	})
	b.Publish(plan.Publish{Name: "a", View: view("a")})
	b.Publish(plan.Publish{Name: "a", View: view("a")})
	b.Publish(plan.Publish{Name: "a"})
	stop()
	b.Publish(plan.Publish{Name: "a", View: view("a")})
	if want := "[a:false:true a:true:true a:true:false]"; fmt.Sprint(seen) != want {
		t.Fatalf("saw %v, want %s", seen, want)
	}
}

func TestReadersAndWriterAtOnce(t *testing.T) {
	var b Board
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			stop := b.Watch(func(string, *plan.View, *plan.View) {})
			defer stop()
			for range 100 {
				b.Jobs()
				b.Job("j7")
			}
		})
	}
	for i := range 100 {
		name := fmt.Sprint("j", i)
		b.Publish(plan.Publish{Name: name, View: view(name)})
	}
	wg.Wait()
	if len(b.Jobs()) != 100 {
		t.Fatalf("%d jobs", len(b.Jobs()))
	}
}
