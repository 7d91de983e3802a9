package session

const (
	// An agent repeats an update until the acknowledgement has reached it; the
	// one before last may still be under way. These many are enough for a
	// framework with thousands of tasks ending per repetition interval, and cost
	// under 1 MB.
	rememberedUpdates = 8192
	rememberedTasks   = 8192
)

// recent is a set that forgets its oldest members.
type recent struct {
	set   map[string]bool
	ring  []string
	next  int
	limit int
}

func newRecent(limit int) recent { return recent{set: map[string]bool{}, limit: limit} }

func (r *recent) has(k string) bool { return r.set[k] }

func (r *recent) add(k string) {
	if r.set[k] {
		return
	}
	if len(r.ring) < r.limit {
		r.ring = append(r.ring, k)
	} else {
		delete(r.set, r.ring[r.next])
		r.ring[r.next] = k
		r.next = (r.next + 1) % r.limit
	}
	r.set[k] = true
}

// remove forgets k early. Its place in the ring stays taken.
func (r *recent) remove(k string) { delete(r.set, k) }

// past remembers what lately ended, to know repetitions.
type past struct {
	// Updates by uuid that the author has taken in.
	acked recent
	// Tasks that the session stopped following.
	over recent
	// Those of over whose terminal state the author has taken in.
	done recent
}

func newPast() past {
	return past{
		acked: newRecent(rememberedUpdates), over: newRecent(rememberedTasks), done: newRecent(rememberedTasks),
	}
}
