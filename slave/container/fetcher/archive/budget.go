package archive

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// budget counts bytes against bounds.
type budget struct {
	bounds Bounds
	of     int64 // the archive's own size
	spent  int64
}

func (b *budget) spend(n int64) error {
	b.spent += n
	switch {
	case b.bounds.Bytes > 0 && b.spent > b.bounds.Bytes:
		return fmt.Errorf("holds more than the %d bytes that an archive may become on this agent", b.bounds.Bytes)
	case b.bounds.Ratio > 0 && b.spent > b.bounds.Slack && b.spent/b.bounds.Ratio > b.of:
		return fmt.Errorf("is %d bytes and has become more than %d times as much: it seems made to fill disks", b.of, b.bounds.Ratio)
	}
	return nil
}

// metered reads what was decompressed, within a budget.
type metered struct {
	x *extraction
	r io.Reader
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	if over := m.x.streamed.spend(int64(n)); over != nil {
		return n, over
	}
	return n, err
}

// probeEvery is how many bytes are written between looks at the disk.
const probeEvery = 16 << 20

// write counts n bytes that are about to be written, and looks whether the disk
// has room for them.
func (x *extraction) write(n int64) error {
	if err := x.written.spend(n); err != nil {
		return err
	}
	if x.unprobed += n; x.unprobed < probeEvery || x.bounds.Free == 0 {
		return nil
	}
	x.unprobed = 0
	dir, err := x.into.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close() // was only looked at
	var disk unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &disk); err != nil {
		return fmt.Errorf("look at the disk of the sandbox: %w", err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < x.bounds.Free {
		return fmt.Errorf("would leave less than %d bytes free on the sandbox's disk, after %d bytes of it: make room there, or fetch less", x.bounds.Free, x.written.spent)
	}
	return nil
}
