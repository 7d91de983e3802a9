package nested

import (
	"troupe/actors"
	"troupe/executor/program"
	"troupe/messages/cluster"
)

// outlet is a program, and where its output can be had.
type outlet struct {
	spec    program.Spec
	process program.Process
	// console carries its input and output; nil: its output goes to files, and it
	// has no input.
	console *console
	tails   int // that read the files
}

func (n *Nest) open(key string, s Started) outlet {
	o := outlet{spec: s.spec, process: s.Process}
	if s.streams != nil {
		o.console = n.newConsole(key, s.streams)
	}
	return o
}

// outletOf finds a container that has not ended; it is nil for one that has no
// program of its own.
func (n *Nest) outletOf(key string) (o *outlet, found bool) {
	if c := n.cells[key]; c != nil {
		if c.process == nil {
			return nil, !c.over
		}
		return &c.outlet, !c.over
	}
	return n.mains[key], n.options.Root(key) != nil
}

// attachOutput makes a visitor a reader of what a container writes from now on.
func (n *Nest) attachOutput(visitor actors.PID, key string) {
	o, found := n.outletOf(key)
	switch {
	case !found:
		n.answer(visitor, cluster.ContainerAnswer_UNKNOWN, "container "+key+" cannot be found")
	case o == nil:
		n.answer(visitor, cluster.ContainerAnswer_INVALID, "container "+key+" has no output of its own: nothing runs in it, or its tasks are in containers below it")
	case o.tails >= maxReaders, o.console != nil && len(o.console.readers) >= maxReaders:
		n.answer(visitor, cluster.ContainerAnswer_TAKEN, "too many read the output of container "+key)
	case o.console == nil:
		n.follow(visitor, o)
	default:
		n.answer(visitor, cluster.ContainerAnswer_DONE, "")
		o.console.addReader(visitor, true)
	}
}
