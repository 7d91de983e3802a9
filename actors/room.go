package actors

import "sync"

const (
	// idleSlots is how much of a queue's memory an idle actor keeps, in envelopes.
	idleSlots = 32
	// roomSlots is the size of the rooms that longer queues are made of; actors
	// hand them around.
	roomSlots = 512
)

// room is memory for a queue, in which all envelopes are zero.
type room = [roomSlots]envelope

var rooms = sync.Pool{New: func() any { return new(room) }}

// fullRooms are those that wait between a mailbox's out and in, oldest first.
type fullRooms struct {
	list [][]envelope
	head int
}

// push appends to the queue, under the lock.
func (b *mailbox) push(e envelope) {
	if n := len(b.in); n == cap(b.in) && n >= idleSlots {
		b.makeRoom()
	}
	b.in = append(b.in, e)
}

func (b *mailbox) makeRoom() {
	spare := rooms.Get().(*room)[:0]
	if cap(b.in) < roomSlots {
		b.in = append(spare, b.in...)
		return
	}
	if b.between == nil {
		b.between = &fullRooms{}
	}
	b.between.list = append(b.between.list, b.in)
	b.in = spare
}

// pull puts the oldest that waits into out, which is used up, under the lock.
func (b *mailbox) pull() bool {
	if f := b.between; f != nil {
		shrink(b.out)
		b.out, f.list[f.head] = f.list[f.head], nil
		if f.head++; f.head == len(f.list) {
			b.between = nil
		}
		return true
	}
	if len(b.in) == 0 {
		return false
	}
	b.in, b.out = b.out, b.in
	return true
}

// rest empties the queue, under the lock.
func (b *mailbox) rest() []envelope {
	rest := b.out[b.next:len(b.out):len(b.out)]
	if b.between != nil {
		for _, r := range b.between.list[b.between.head:] {
			rest = append(rest, r...)
		}
	}
	rest = append(rest, b.in...)
	b.in, b.out, b.between, b.next = nil, nil, nil, 0
	return rest
}

// shrink is what an idle actor keeps of an empty queue's memory.
func shrink(queue []envelope) []envelope {
	if cap(queue) <= idleSlots {
		return queue
	}
	if cap(queue) == roomSlots {
		rooms.Put((*room)(queue[:roomSlots]))
	}
	return nil
}
