package stream

import (
	"time"
)

// round is how many events are encoded before subscribers hear of them.
const round = 1024

// feed encodes new events in the forms that are in use, while there are
// subscribers.
func (h *Hub) feed() {
	var slabs [forms]slab
	batch := make([]*entry, 0, round)
	for {
		leader, inUse, more := h.batch(&batch)
		if !more {
			return
		}
		for _, e := range batch {
			for i, users := range inUse {
				if users > 0 {
					h.encode(e, i, leader, &slabs[i])
				}
			}
		}
		if len(batch) > 0 {
			h.publish(batch[len(batch)-1].number)
		}
		if len(batch) < round {
			<-h.wake
		}
		time.Sleep(h.pause())
	}
}

// batch lists the events that are to be encoded next; more is false when nobody
// reads any more.
func (h *Hub) batch(batch *[]*entry) (leader string, inUse [forms]int, more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subscribers) == 0 {
		h.feeding = false
		return "", inUse, false
	}
	*batch = (*batch)[:0]
	from := max(h.ready+1, h.first)
	for n := from; n <= h.last && len(*batch) < round; n++ {
		*batch = append(*batch, h.log[n%uint64(len(h.log))])
	}
	return h.leader, h.inUse, true
}

// publish lets subscribers read up to an event.
func (h *Hub) publish(number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = number
	for h.bytes > maxBytes && h.first < h.ready {
		h.forget()
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *Hub) pause() time.Duration {
	return min(maxPause, time.Duration(h.Subscribers())*pausePer)
}

// slab is where frames are written one behind the other, so that those who want
// them all can write them at once.
type slab struct{ room []byte }

// encode encodes an event in a form, into a slab if there is one, unless that was
// done. An event that cannot be encoded is empty: nobody could read it.
func (h *Hub) encode(e *entry, i int, leader string, s *slab) *frame {
	if f := e.frames[i].Load(); f != nil {
		return f
	}
	if s == nil {
		s = new(slab)
	} else if cap(s.room)-len(s.room) < slabSize/8 {
		s.room = make([]byte, 0, slabSize)
	}
	from := len(s.room)
	whole, err := formOf[i].record(s.room, leader, e.number, e.write)
	if err != nil {
		whole = s.room
	}
	f := &frame{slab: whole, from: from, to: len(whole)}
	s.room = whole
	if !e.frames[i].CompareAndSwap(nil, f) {
		return e.frames[i].Load()
	}
	h.mu.Lock()
	if e.number >= h.first {
		h.bytes += f.to - f.from
	}
	h.mu.Unlock()
	return f
}

// follows tells whether g is right behind f, in the same slab.
func (f *frame) follows(g *frame) bool {
	return f.from == g.to && cap(f.slab) > 0 && cap(g.slab) == cap(f.slab) && &f.slab[:1][0] == &g.slab[:1][0]
}
