package actors

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"

	"go.uber.org/zap"
)

// Lost tells how many messages of one type were not handled, and about the last
// of them.
type Lost struct {
	Type   string // full protobuf name; "(others)" beyond the number of types kept
	Reason string // of the last
	From   PID    // of the last; zero when unknown
	To     PID    // of the last
	Count  uint64
}

// maxLostTypes bounds what peers can make this system remember by inventing
// names of types.
const maxLostTypes = 1000

const otherTypes = "(others)"

// lostMessages counts by type. It logs the first of a type, the second, the
// fourth, and so on: a flood costs a handful of lines.
type lostMessages struct {
	what   string // "dead letter", "unhandled message"
	logger *zap.Logger
	watch  func(Lost) // may be nil

	mu    sync.Mutex
	total uint64
	types map[string]*Lost
}

func newLostMessages(what string, logger *zap.Logger, watch func(Lost)) *lostMessages {
	return &lostMessages{what: what, logger: logger, watch: watch, types: make(map[string]*Lost)}
}

func (l *lostMessages) note(from, to PID, typ, reason string) {
	count := l.count(from, to, typ, reason)
	if l.watch != nil {
		l.watch(Lost{Type: typ, Reason: reason, From: from, To: to, Count: count})
	}
	if bits.OnesCount64(count) == 1 {
		l.logger.Warn(l.what, zap.String("message_type", typ), zap.String("reason", reason),
			zap.Stringer("from", from), zap.Stringer("to", to), zap.Uint64("count", count))
	}
}

func (l *lostMessages) count(from, to PID, typ, reason string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	row := l.types[typ]
	if row == nil {
		if len(l.types) >= maxLostTypes {
			typ = otherTypes
		}
		if row = l.types[typ]; row == nil {
			row = &Lost{Type: typ}
			l.types[typ] = row
		}
	}
	row.Count++
	row.From, row.To, row.Reason = from, to, reason
	return row.Count
}

// list is sorted by type.
func (l *lostMessages) list() []Lost {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := make([]Lost, 0, len(l.types))
	for _, row := range l.types {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Lost) int { return cmp.Compare(a.Type, b.Type) })
	return rows
}

// DeadLetters are the messages that were not delivered, by type.
func (s *System) DeadLetters() []Lost { return s.dead.list() }

// Unhandled are the messages that actors had no handler for, by type.
func (s *System) Unhandled() []Lost { return s.unhandled.list() }
