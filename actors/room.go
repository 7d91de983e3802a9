package actors

import "sync"

const (
	// idleSlots is how much of a queue's memory an idle actor keeps, in envelopes.
	idleSlots = 32
	// roomSlots is the smallest room that busy actors hand around; each of the
	// roomClasses is eight times the one before it.
	roomSlots   = 512
	roomClasses = 3
)

// rooms are memory for queues, in which all envelopes are zero.
var rooms [roomClasses]sync.Pool

// grow makes room in a queue for one more.
func grow(queue []envelope) []envelope {
	n := len(queue)
	if n < cap(queue) || n < idleSlots {
		return queue
	}
	size := roomSlots
	for class := range rooms {
		if n < size {
			if spare, ok := rooms[class].Get().(*[]envelope); ok {
				return append(*spare, queue...)
			}
			return append(make([]envelope, 0, size), queue...)
		}
		size *= 8
	}
	return queue
}

// shrink is what an idle actor keeps of an empty queue's memory, in which all
// envelopes are zero.
func shrink(queue []envelope) []envelope {
	if cap(queue) <= idleSlots {
		return queue
	}
	size := roomSlots
	for class := range rooms {
		if cap(queue) == size {
			rooms[class].Put(&queue)
		}
		size *= 8
	}
	return nil
}
