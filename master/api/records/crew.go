package records

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"troupe/master/state/view"
	"troupe/messages/pen"
)

// portion is how many tasks are written by one of several at a time.
const portion = 2048

// writeTasks writes tasks in a list that is open: many of them at several places
// at once, where the pen can keep them.
func writeTasks(p *pen.Pen, f *pen.Field, tasks []*view.Task) {
	workers := min(runtime.GOMAXPROCS(0), len(tasks)/portion)
	if workers < 2 || p.Fork() == nil {
		for i, t := range tasks {
			Task(p, f, t)
			yield(i)
		}
		return
	}
	type part struct {
		pen    *pen.Pen
		failed any
	}
	parts := make([]chan part, (len(tasks)+portion-1)/portion)
	for i := range parts {
		parts[i] = make(chan part, 1)
	}
	var next atomic.Int64
	write := func(i int) (done part) {
		defer func() { done.failed = recover() }()
		done.pen = p.Fork()
		for j, t := range tasks[i*portion : min(len(tasks), (i+1)*portion)] {
			Task(done.pen, f, t)
			yield(j)
		}
		return done
	}
	for range workers {
		go func() {
			for i := int(next.Add(1)) - 1; i < len(parts); i = int(next.Add(1)) - 1 {
				parts[i] <- write(i)
			}
		}()
	}
	for _, c := range parts {
		done := <-c
		if done.failed != nil {
			panic(fmt.Sprint(done.failed)) // where whoever asked for it catches it
		}
		p.Join(done.pen)
	}
}
