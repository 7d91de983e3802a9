package fetcher

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// writeError is about where something was written to, not about where it is from.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }

func (e *writeError) Unwrap() error { return e.err }

// download writes what a server has, and checks its checksum. Sized is told how much
// it will be, -1 if that is not known, and may refuse it.
func (j *job) download(ctx context.Context, s *source, to io.Writer, t *task, sized func(int64) error) (int64, error) {
	b, err := j.request(ctx, s)
	if err != nil {
		return 0, err
	}
	defer b.close()
	if err := sized(b.size); err != nil {
		return 0, &writeError{err}
	}
	t.total = b.size
	return s.copy(ctx, to, b, t)
}

// copy writes what from has, and checks its checksum.
func (s *source) copy(ctx context.Context, to io.Writer, from io.Reader, t *task) (int64, error) {
	var sum hash.Hash
	if s.sum != nil {
		sum = s.sum.make()
	}
	buffer := make([]byte, 128<<10)
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, context.Cause(ctx)
		}
		r, err := from.Read(buffer)
		if _, werr := to.Write(buffer[:r]); werr != nil {
			return n, &writeError{werr}
		}
		n += int64(r)
		if sum != nil {
			sum.Write(buffer[:r])
		}
		t.progress(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, err
		}
	}
	if sum == nil {
		return n, nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != s.sum.want {
		return n, fmt.Errorf("its %s is %s, not %s: it is not the file that was meant, or the checksum is an old one", s.sum.kind, got, s.sum.want)
	}
	return n, nil
}
