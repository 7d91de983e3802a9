package state

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// crowd is 2,000 apps, all of one command.
func crowd(instances int) *app.Group {
	root := app.NewRoot()
	for g := range 20 {
		group := &app.Group{ID: app.Path(fmt.Sprintf("/g%02d", g))}
		for n := range 100 {
			a := plain(app.Path(fmt.Sprintf("/g%02d/a%02d", g, n)), instances, "x")
			a.Labels = map[string]string{app.LabelInPlace: "true"}
			group.Apps = append(group.Apps, a)
		}
		root = root.Put(group)
	}
	return root
}

// run has offers come and all that is launched run, until nothing waits. It tells
// how long it took, and how many rounds of offers.
func (w *world) run() (time.Duration, int) {
	from, rounds := time.Now(), 0
	for ; ; rounds++ {
		w.settle()
		for _, id := range w.fresh {
			w.tell(id, mesos.TaskState_TASK_RUNNING)
			w.settle()
		}
		w.fresh = nil
		if len(w.m.deployments) == 0 {
			return time.Since(from), rounds
		}
		w.now = w.now.Add(time.Second)
		w.offer()
	}
}

// BenchmarkCrowd is 50,000 instances of 2,000 apps on 1,000 agents: how long it
// takes until all run, and then with all of them there, how long to scale one app
// by 500, to edit one in place, to begin again from the disk, and how much memory
// an instance takes. The cluster's part, which is the test's, is counted, too.
func BenchmarkCrowd(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, 1000, Options{PerOffer: 20})
		w.edit(false, func(*app.Group, app.Version) *app.Group { return crowd(25) })
		all, rounds := w.run()
		b.ReportMetric(all.Seconds(), "s/all-running")
		b.ReportMetric(float64(rounds), "rounds")

		bigger := w.root.App("/g07/a07").Clone()
		bigger.Instances += 500
		from := time.Now()
		w.mustPut(bigger)
		w.run()
		b.ReportMetric(float64(time.Since(from).Milliseconds()), "ms/scale-by-500")

		edited := w.root.App("/g03/a03").Clone()
		edited.Labels = map[string]string{app.LabelInPlace: "true", "v": "2"}
		from = time.Now()
		w.mustPut(edited)
		b.ReportMetric(float64(time.Since(from).Microseconds()), "µs/edit-in-place")
		if w.views["/g03/a03"].App.Labels["v"] != "2" {
			b.Fatal("the edit is not seen")
		}
		reload(b, w)
	}
}

func reload(b *testing.B, w *world) {
	var records []Change
	written := 0
	for key, value := range w.disk {
		records = append(records, Change{key, value})
		written += len(value)
	}
	instances := len(w.m.tasks)
	w.m, w.views, w.tasks = nil, nil, nil
	heap := heapInUse()
	m := New(w.options)
	from := time.Now()
	m.Step(w.now, Loaded{records})
	b.ReportMetric(float64(time.Since(from).Milliseconds()), "ms/failover")
	b.ReportMetric(float64(heapInUse()-heap)/float64(instances), "B/instance")
	b.ReportMetric(float64(written)/float64(instances), "disk-B/instance")
	runtime.KeepAlive(m)
}

func heapInUse() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
