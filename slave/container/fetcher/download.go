package fetcher

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// writeError is about where something was written to, not about where it is from.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }

func (e *writeError) Unwrap() error { return e.err }

// brokenError is about a download that broke off, and may go on.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }

func (e *brokenError) Unwrap() error { return e.err }

// target is what a download is written to, from the beginning to the end.
type target interface {
	io.Writer
	// Expect sees an answer that has the whole, and may refuse it.
	Expect(b *body) error
	// Restart drops what was written.
	Restart() error
}

// overlap is how many bytes are fetched once more where a download goes on, and must
// be what they were: who sends another file, or another place of it, is found out.
const overlap = 512

// maxTries bounds the attempts at a download in all, however much each of them brings.
const maxTries = 50

// patience is how long is waited before each further attempt at a download when the
// one before brought nothing new; after as many as there are here it is given up.
func patience() []time.Duration {
	return []time.Duration{time.Second / 4, time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second}
}

// download is one that is under way.
type download struct {
	job    *job
	source *source
	to     target
	task   *task
	sum    hash.Hash // nil if none is wanted
	// What was written: how much, its end, and of which version of the file it is.
	written int64
	tail    []byte
	version version
	// whole: the server is not asked for parts, as it cannot be trusted with them.
	whole bool
	// resumed: what was written is of several answers.
	resumed bool
}

// download writes what a server has, and checks its checksum. One that breaks off goes
// on where it was, or else begins anew.
func (j *job) download(ctx context.Context, s *source, to target, t *task) (int64, error) {
	d := &download{job: j, source: s, to: to, task: t}
	if s.sum != nil {
		d.sum = s.sum.make()
	}
	var (
		first    error
		farthest int64
		idle     int // attempts that brought nothing new
	)
	for tries := 1; ; tries++ {
		err := d.attempt(ctx)
		var broken *brokenError
		if err == nil || ctx.Err() != nil || !errors.As(err, &broken) {
			return d.written, again(first, err, tries)
		}
		if first == nil {
			first = err
		}
		if d.written > farthest {
			farthest, idle = d.written, 0
		}
		var slow net.Error
		if errors.Is(err, errStalled) || errors.As(err, &slow) && slow.Timeout() {
			idle = max(idle, len(j.patience)-1) // has cost enough time
		}
		if idle >= len(j.patience) || tries >= maxTries {
			return d.written, again(first, err, tries)
		}
		if tries == 1 {
			j.report.sayf("Trying %s again: %v", s.shown, err)
		}
		if err := pause(ctx, j.patience[idle]); err != nil {
			return d.written, err
		}
		idle++
	}
}

// again is the last of several errors, and what it began with.
func again(first, last error, tries int) error {
	switch {
	case first == nil || last == nil:
		return last
	case first.Error() == last.Error():
		return fmt.Errorf("%w (%d times)", last, tries)
	}
	return fmt.Errorf("%w; and after %d attempts: %w", first, tries, last)
}

// pause waits for about d, so that not all come back at the same moment.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt fetches what is missing, or else all.
func (d *download) attempt(ctx context.Context) error {
	at := d.resumeAt()
	b, err := d.job.request(ctx, d.source, d.version.conditions(at))
	if err != nil {
		return d.refused(ctx, err)
	}
	defer b.close()
	if at == 0 || b.status == http.StatusOK {
		if err := d.begin(b); err != nil {
			return err
		}
		return d.copy(ctx, b)
	}
	ok := d.version.continues(b, at)
	if ok {
		if ok, err = d.overlaps(b); err != nil {
			return &brokenError{err}
		}
	}
	if !ok {
		b.close()
		return d.distrust(ctx)
	}
	d.resumed = true
	return d.copy(ctx, b)
}

// resumeAt is from where on the server is asked for the file.
func (d *download) resumeAt() int64 {
	if d.whole || d.version.condition() == "" {
		return 0
	}
	return d.written - int64(len(d.tail))
}

// refused is about a request that brought nothing: once a download has begun, a server
// may come back.
func (d *download) refused(ctx context.Context, err error) error {
	var status *statusError
	if d.version.zero() || ended(ctx, err) || errors.As(err, &status) && !status.passes() {
		return err
	}
	return &brokenError{err}
}

// begin begins anew with an answer that has the whole file.
func (d *download) begin(b *body) error {
	if err := d.to.Restart(); err != nil {
		return &writeError{err}
	}
	d.written, d.tail, d.resumed, d.version = 0, d.tail[:0], false, versionOf(b)
	if d.sum != nil {
		d.sum.Reset()
	}
	if err := d.to.Expect(b); err != nil {
		return &writeError{err}
	}
	d.task.total = b.size
	return nil
}

// distrust begins anew, without asking for parts any more.
func (d *download) distrust(ctx context.Context) error {
	d.whole = true
	return d.attempt(ctx)
}

// overlaps tells whether what is sent begins with what was written last.
func (d *download) overlaps(b *body) (bool, error) {
	same := make([]byte, len(d.tail))
	if _, err := io.ReadFull(b, same); err != nil {
		return false, err
	}
	return bytes.Equal(same, d.tail), nil
}

// copy writes the rest of the file.
func (d *download) copy(ctx context.Context, b *body) error {
	if err := pump(ctx, d, b); err != nil {
		var written *writeError
		if errors.As(err, &written) || ended(ctx, err) {
			return err
		}
		return &brokenError{err}
	}
	size := d.version.size
	switch {
	case size >= 0 && d.written < size:
		return &brokenError{fmt.Errorf("the server sent %d bytes of %d", d.written, size)}
	case size >= 0 && d.written > size && d.resumed:
		return d.distrust(ctx)
	}
	err := d.source.check(d.sum)
	if err != nil && d.resumed {
		return d.distrust(ctx)
	}
	return err
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (int, error) {
	n, err := d.to.Write(p)
	d.written += int64(n)
	if d.sum != nil {
		d.sum.Write(p[:n])
	}
	d.tail = append(d.tail, p[max(0, n-overlap):n]...)
	d.tail = append(d.tail[:0], d.tail[max(0, len(d.tail)-overlap):]...)
	d.task.progress(d.written)
	return n, err
}

// copy writes what from has, and checks its checksum.
func (s *source) copy(ctx context.Context, to io.Writer, from io.Reader, t *task) (int64, error) {
	w := &counted{to: to, task: t}
	var sum hash.Hash
	if s.sum != nil {
		sum = s.sum.make()
		w.to = io.MultiWriter(to, sum)
	}
	if err := pump(ctx, w, from); err != nil {
		return w.n, err
	}
	return w.n, s.check(sum)
}

// counted tells of what is written.
type counted struct {
	to   io.Writer
	task *task
	n    int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	c.task.progress(c.n)
	return n, err
}

// pump writes what from has, until ctx ends.
func pump(ctx context.Context, to io.Writer, from io.Reader) error {
	buffer := make([]byte, 128<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := from.Read(buffer)
		if _, werr := to.Write(buffer[:n]); werr != nil {
			return &writeError{werr}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// check compares a checksum; nil is that of a source which has none.
func (s *source) check(sum hash.Hash) error {
	if sum == nil {
		return nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != s.sum.want {
		return fmt.Errorf("its %s is %s, not %s: it is not the file that was meant, or the checksum is an old one", s.sum.kind, got, s.sum.want)
	}
	return nil
}
