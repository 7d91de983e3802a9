package perfevent

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// sample of a container.
type sample struct {
	fds   []int // by event, then CPU; none while it waits for the next
	began time.Time
	last  *mesos.PerfStatistics
}

func (s *sample) running() bool { return len(s.fds) > 0 }

// close may be called again.
func (s *sample) close() {
	for _, fd := range s.fds {
		unix.Close(fd)
	}
	s.fds = nil
}

// finish reads what was counted.
func (s *sample) finish(events []event, now time.Time) error {
	defer s.close()
	stats := &mesos.PerfStatistics{
		Timestamp: proto.Float64(float64(s.began.UnixNano()) / 1e9),
		Duration:  proto.Float64(now.Sub(s.began).Seconds()),
	}
	perEvent := len(s.fds) / len(events)
	for n, e := range events {
		var sum uint64
		for _, fd := range s.fds[n*perEvent : (n+1)*perEvent] {
			count, err := read(fd)
			if err != nil {
				return fmt.Errorf("read %s: %w", e.name, err)
			}
			sum += count
		}
		e.set(stats, sum)
	}
	s.last = stats
	return nil
}

// read scales a counter that had to share its place in the CPU with others.
func read(fd int) (uint64, error) {
	var b [24]byte // the count, the time it was wanted, and the time it ran
	n, err := unix.Read(fd, b[:])
	if err != nil || n != len(b) {
		return 0, fmt.Errorf("%d bytes, %w", n, err)
	}
	count, wanted, ran := binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:])
	if ran > 0 && ran < wanted {
		return uint64(float64(count) * float64(wanted) / float64(ran)), nil
	}
	return count, nil
}

func (e event) attributes() *unix.PerfEventAttr {
	return &unix.PerfEventAttr{
		Type: e.kind, Config: e.config, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
}

// openAll counts events of a group, on each CPU.
func openAll(dir string, events []event, cpus []int) ([]int, error) {
	group, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer group.Close()
	s := &sample{}
	for _, e := range events {
		for _, cpu := range cpus {
			fd, err := unix.PerfEventOpen(e.attributes(), int(group.Fd()), cpu, -1, unix.PERF_FLAG_PID_CGROUP|unix.PERF_FLAG_FD_CLOEXEC)
			if err != nil {
				s.close()
				return nil, fmt.Errorf("perf_event_open of %s on CPU %d for %s: %w", e.name, cpu, dir, err)
			}
			s.fds = append(s.fds, fd)
		}
	}
	return s.fds, nil
}
