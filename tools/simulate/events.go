package simulate

import "time"

// event is what happens at a time since the beginning.
type event struct {
	at  time.Duration
	seq uint64
	run func()
}

func (e *event) before(other *event) bool {
	return e.at < other.at || e.at == other.at && e.seq < other.seq
}

// events is a heap in the order of their times, and then of their making: the
// first is the next to happen. It is what package container/heap does, without
// making an interface of each event; a run has millions.
type events []event

func (h *events) push(e event) {
	*h = append(*h, e)
	list := *h
	at := len(list) - 1
	for at > 0 {
		above := (at - 1) / 2
		if !e.before(&list[above]) {
			break
		}
		list[at] = list[above]
		at = above
	}
	list[at] = e
}

// pop takes the first out; there must be one.
func (h *events) pop() event {
	list := *h
	first, e := list[0], list[len(list)-1]
	list[len(list)-1] = event{}
	list = list[:len(list)-1]
	*h = list
	if len(list) == 0 {
		return first
	}
	at := 0
	for below := 1; below < len(list); below = 2*at + 1 {
		if below+1 < len(list) && list[below+1].before(&list[below]) {
			below++
		}
		if !list[below].before(&e) {
			break
		}
		list[at] = list[below]
		at = below
	}
	list[at] = e
	return first
}
