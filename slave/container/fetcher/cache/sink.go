package cache

import (
	"context"
	"errors"
	"os"
)

// step is how much room is asked for at a time where nobody knows how much it
// will be.
const step = 8 << 20

// Sink takes what becomes an entry. Room for it is made as it grows.
type Sink struct {
	ctx     context.Context
	cache   Cache
	part    *os.File
	room    int64 // of the file, which is its size until it is finished
	written int64
}

// Restart drops what was written, by this process or an earlier one, and with it the
// room that was made.
func (s *Sink) Restart() error {
	s.room, s.written = 0, 0
	if err := s.part.Truncate(0); err != nil {
		return err
	}
	_, err := s.part.Seek(0, 0)
	return err
}

// Expect makes room for an entry of so many bytes; -1: nobody knows how many.
func (s *Sink) Expect(size int64) error {
	if size <= s.room {
		return nil
	}
	return s.grow(size)
}

// grow makes the part as large as room, so that others count it.
func (s *Sink) grow(room int64) error {
	err := s.cache.locked(s.ctx, func() error {
		if err := s.cache.makeRoom(room - s.room); err != nil {
			return err
		}
		return s.part.Truncate(room)
	})
	if err == nil {
		s.room = room
	}
	return err
}

// Write implements io.Writer.
func (s *Sink) Write(p []byte) (int, error) {
	if end := s.written + int64(len(p)); end > s.room {
		if err := s.grow(max(end, s.room+step)); err != nil {
			if !errors.Is(err, ErrNoRoom) || end > s.cache.Size {
				return 0, err
			}
			// A small rest may still fit where a whole step does not.
			if err := s.grow(end); err != nil {
				return 0, err
			}
		}
	}
	n, err := s.part.Write(p)
	s.written += int64(n)
	return n, err
}

func (s *Sink) finish() error {
	if s.written == s.room {
		return nil
	}
	return s.part.Truncate(s.written)
}
