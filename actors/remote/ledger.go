package remote

import "troupe/actors/remote/frame"

// ledger remembers messages, in order, until the peer acknowledges them. Those
// of one route in a row share a run, so that a flood costs little.
type ledger struct {
	runs  queue[run]
	count int // messages
}

// run is some messages in a row that have a route, and keys if there is one.
type run struct {
	route *route
	keys  frame.Keys
	count int
	cost  int // of all
}

// mostInRun bounds how far the cost of a message in a run, taken to be the
// average, can be off.
const mostInRun = 256

func (l *ledger) add(r *route, keys frame.Keys, cost int) {
	l.count++
	if l.runs.len() > 0 && keys == (frame.Keys{}) {
		last := l.runs.back()
		if last.route == r && last.keys == keys && last.count < mostInRun {
			last.count++
			last.cost += cost
			return
		}
	}
	l.runs.push(run{r, keys, 1, cost})
}

// settle forgets the first n messages and gives their cost.
func (l *ledger) settle(n int) int {
	l.count -= n
	cost := 0
	for n > 0 {
		first := l.runs.front()
		if first.count > n {
			part := first.cost * n / first.count
			first.count -= n
			first.cost -= part
			return cost + part
		}
		n -= first.count
		cost += first.cost
		l.runs.pop()
	}
	return cost
}

// drain empties the ledger and appends its messages to dead: the first taken
// of them as Unconfirmed, the others as Lost.
func (l *ledger) drain(dead []obituary, taken int) []obituary {
	for l.runs.len() > 0 {
		r := l.runs.pop()
		m := letter{from: r.route.from, to: r.route.to, typ: r.route.typ, keys: r.keys}
		for range r.count {
			reason := Unconfirmed
			if taken <= 0 {
				reason = Lost
			}
			taken--
			dead = append(dead, m.obituary(reason))
		}
	}
	l.count = 0
	return dead
}
