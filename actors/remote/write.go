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
	for {
		more := l.next()
		if more == nothingEver {
			break
		}
		if more == nothingNow {
			return
		}
		if err := l.flush(); err != nil {
			l.end(fmt.Errorf("lost: %w", err))
			close(l.writing.ended)
			return
		}
	}
	if err := l.hangUp(); err != nil {
		l.end(fmt.Errorf("lost: %w", err))
	}
	close(l.writing.ended)
}

// flush writes the batch.
func (l *link) flush() error {
	w := &l.writing
	for rest := w.batch; len(rest) > 0; {
		n := min(len(rest), blocksPerWrite)
		if err := l.send(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if cap(w.batch) > blocksPerWrite {
		w.batch, w.parts = nil, nil
	}
	return nil
}

// send writes blocks and frees them.
func (l *link) send(blocks []*block) error {
	var n int64
	var err error
	if len(blocks) == 1 {
		var k int
		k, err = l.conn.Write(blocks[0].b)
		n = int64(k)
	} else {
		parts := l.writing.parts[:0]
		for _, b := range blocks {
			parts = append(parts, b.b)
		}
		all := net.Buffers(parts)
		n, err = all.WriteTo(l.conn)
		clear(parts)
		l.writing.parts = parts
	}
	for i, b := range blocks {
		b.free()
		blocks[i] = nil
	}
	l.p.counters.bytesOut.Add(uint64(n))
	l.last.wrote.Store(l.p.t.now())
	return err
}

// supply is what there is for a writer.
type supply uint8

const (
	something   supply = iota
	nothingNow         // the writer is one no more
	nothingEver        // the last writer sees to the end
)

// next fills the batch if there is something to write.
func (l *link) next() supply {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.cause != nil {
		return nothingEver
	}
	l.gather()
	switch {
	case len(l.out.blocks) > 0:
		l.writing.batch = l.out.take(l.writing.batch)
		return something
	case l.parting.said && l.parting.heard:
		return nothingEver
	}
	l.idle = true
	return nothingNow
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
