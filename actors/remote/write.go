package remote

import (
	"errors"
	"fmt"
	"net"
)

// blocksPerWrite bounds one write, so that a slow peer's progress shows.
const blocksPerWrite = 16

// write is the writer goroutine: it writes whatever there is, in batches as
// large as the time since the last write made them.
func (l *link) write() {
	var batch []*block
	var parts [][]byte
	for {
		var more bool
		batch, more = l.next(batch)
		if !more {
			break
		}
		for rest := batch; len(rest) > 0; {
			n := min(len(rest), blocksPerWrite)
			var err error
			if parts, err = l.send(rest[:n], parts); err != nil {
				l.end(fmt.Errorf("lost: %w", err))
				return
			}
			rest = rest[n:]
		}
		if cap(batch) > blocksPerWrite {
			batch = nil
		}
	}
	if err := l.hangUp(); err != nil {
		l.end(fmt.Errorf("lost: %w", err))
	}
}

// send writes blocks and frees them. It gives back parts for reuse.
func (l *link) send(blocks []*block, parts [][]byte) ([][]byte, error) {
	var n int64
	var err error
	if len(blocks) == 1 {
		var k int
		k, err = l.conn.Write(blocks[0].b)
		n = int64(k)
	} else {
		parts = parts[:0]
		for _, b := range blocks {
			parts = append(parts, b.b)
		}
		all := net.Buffers(parts)
		n, err = all.WriteTo(l.conn)
	}
	for i, b := range blocks {
		b.free()
		blocks[i] = nil
	}
	clear(parts)
	l.p.counters.bytesOut.Add(uint64(n))
	l.last.wrote.Store(l.p.t.now())
	return parts, err
}

// next waits for something to write and gives it, or tells that there will be
// nothing more. Spare is the slice that it gave before.
func (l *link) next(spare []*block) ([]*block, bool) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	for {
		if l.cause != nil {
			return nil, false
		}
		l.gather()
		if len(l.out.blocks) > 0 {
			return l.out.take(spare), true
		}
		if l.parting.said && l.parting.heard {
			return nil, false
		}
		l.idle = true
		l.p.mu.Unlock()
		<-l.writing.wake
		l.p.mu.Lock()
	}
}

// gather adds what the writer itself has to say. The caller has locked.
func (l *link) gather() {
	if !l.parting.said {
		l.out.fill()
	}
	whole, bulk := l.taken.whole.Load(), l.taken.bulk.Load()
	news := whole != l.acked.whole || bulk != l.acked.bulk
	goodbye := l.parting.wanted && !l.parting.said && l.out.bulk.len() == 0
	if l.acked.due || news && (goodbye || len(l.out.blocks) > 0) {
		l.out.addAck(whole, bulk)
		l.acked.whole, l.acked.bulk = whole, bulk
		l.acked.due = false
	}
	if goodbye {
		l.out.addGoodbye("closed")
		l.parting.said = true
	}
}

// hangUp ends the writing half of a connection that parted in order; the
// reader goes on until the peer has done the same.
func (l *link) hangUp() error {
	l.p.mu.Lock()
	broken := l.cause != nil
	l.p.mu.Unlock()
	if broken {
		return nil
	}
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.Join(l.conn.Close(), errPeerClosed)
	}
	return half.CloseWrite()
}
