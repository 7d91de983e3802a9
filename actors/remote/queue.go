package remote

// queue is a first-in first-out list that gives its memory back when empty.
type queue[T any] struct {
	items []T
	head  int
}

const queueKeeps = 64 // items that an empty queue keeps room for

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) push(v T) { q.items = append(q.items, v) }

func (q *queue[T]) front() *T { return &q.items[q.head] }

func (q *queue[T]) back() *T { return &q.items[len(q.items)-1] }

func (q *queue[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.head = 0
		q.items = q.items[:0]
		if cap(q.items) > queueKeeps {
			q.items = nil
		}
	case q.head >= 1024 && q.head*2 >= len(q.items):
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}
