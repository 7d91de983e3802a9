package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"troupe/messages/cluster"
)

// write is the journal's goroutine: one sync for all that wait.
func (j *Journal) write() {
	defer close(j.done)
	for {
		j.mu.Lock()
		for len(j.waiting) == 0 && !j.closed {
			j.wake.Wait()
		}
		requests := j.waiting
		j.waiting = nil
		j.mu.Unlock()
		if len(requests) == 0 {
			return
		}
		for len(requests) > 0 {
			n := together(requests)
			j.commit(requests[:n])
			requests = requests[n:]
		}
	}
}

// together counts the requests that can be one frame: a rewrite begins anew.
func together(requests []request) int {
	for i, r := range requests {
		if r.rewrite && i > 0 {
			return i
		}
	}
	return len(requests)
}

// commit makes requests durable, and answers them. The first may be a rewrite.
func (j *Journal) commit(requests []request) {
	err := j.failed
	if err == nil && requests[0].rewrite {
		err = j.rewrite(requests)
		if full(err) {
			// What it was to replace is there still, and what came after it can
			// be appended to that.
			requests[0].done(err)
			requests = requests[1:]
			err = j.appendAll(requests)
		}
	} else if err == nil {
		err = j.appendAll(requests)
	}
	j.failed = err
	for _, r := range requests {
		r.done(err)
	}
}

func (j *Journal) rewrite(requests []request) error {
	frame, err := j.frame(requests)
	if err != nil {
		return err
	}
	return j.replace(frame)
}

// frame is one of all the requests' records, in the journal's buffer.
func (j *Journal) frame(requests []request) ([]byte, error) {
	var records []*cluster.JournalRecord
	for _, r := range requests {
		records = append(records, r.records...)
	}
	frame, err := AppendFrame(j.buffer[:0], records)
	if cap(frame) <= minRewrite {
		j.buffer = frame[:0]
	}
	return frame, err
}

// appendAll tries until there is room, or the journal is closed.
func (j *Journal) appendAll(requests []request) error {
	if len(requests) == 0 {
		return nil
	}
	frame, err := j.frame(requests)
	if err != nil {
		return err
	}
	err = j.append(frame)
	if !full(err) {
		return err
	}
	j.tell(err)
	tick := time.NewTicker(retryFull)
	defer tick.Stop()
	for full(err) {
		select {
		case <-tick.C:
		case <-j.closing:
			return err
		}
		err = j.append(frame)
	}
	if err == nil {
		j.tell(nil)
	}
	return err
}

// retryFull is how often a journal tries that found no room.
const retryFull = 500 * time.Millisecond

// full tells that there is no room: on the disk, in a quota, or under the
// process's limit on the size of files.
func full(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}

func (j *Journal) tell(err error) {
	j.mu.Lock()
	stalled := j.stalled
	j.mu.Unlock()
	if stalled != nil {
		stalled(err)
	}
}

// append writes a frame at the end of what is durable. What a failure leaves
// of it is cut off: the next frame must follow a whole one.
func (j *Journal) append(frame []byte) error {
	_, err := j.file.Write(frame)
	if err != nil {
		err = fmt.Errorf("appending to the journal: %w", err)
	} else if err = unix.Fdatasync(int(j.file.Fd())); err != nil {
		err = fmt.Errorf("syncing the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		j.size += int64(len(frame))
		return nil
	}
	if full(err) {
		if cut := j.file.Truncate(j.size); cut != nil {
			return fmt.Errorf("%v; cutting the journal: %w", err, cut) // no longer a matter of room
		}
	}
	return err
}

func removeUnfinished(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing an unfinished rewrite: %w", err)
	}
	return nil
}

// replace puts a journal of one frame in the place of the old one.
func (j *Journal) replace(frame []byte) error {
	fresh := filepath.Join(j.dir, "journal.new")
	file, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rewriting the journal: %w", err)
	}
	_, err = file.Write(frame)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(fresh, filepath.Join(j.dir, "journal"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewriting the journal: %w", err), file.Close(), removeUnfinished(fresh))
	}
	// There is no way back to the old one, whatever fails from here on.
	if err := syncDir(j.dir); err != nil {
		return errors.Join(fmt.Errorf("the journal was rewritten, and may not stay: %v", err), file.Close())
	}
	err = j.file.Close() // of the old one, which nobody reads any more
	j.file = file
	j.mu.Lock()
	j.size, j.settled = int64(len(frame)), int64(len(frame))
	j.mu.Unlock()
	return err
}
