package blkio

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator/cgroups"
)

// present are the files of a group that are read. Those of throttling count in
// any case, with the groups below where the kernel does; those of an I/O
// scheduler (CFQ, or BFQ in newer kernels) only if a disk has that.
func present(dir string, scheduled bool) []file {
	var files []file
	has := func(names ...string) (string, bool) {
		for _, n := range names {
			if cgroups.Exists(dir, n) {
				return n, true
			}
		}
		return "", false
	}
	for _, c := range counters {
		if c.throttled {
			if n, ok := has("blkio.throttle."+c.name+"_recursive", "blkio.throttle."+c.name); ok {
				files = append(files, file{n, throttling, c.adder(throttling)})
			}
		}
		if !scheduled {
			continue
		}
		if n, ok := has("blkio."+c.name, "blkio.bfq."+c.name); ok {
			files = append(files, file{n, own, c.adder(own)})
		}
		if n, ok := has("blkio."+c.name+"_recursive", "blkio.bfq."+c.name+"_recursive"); ok {
			files = append(files, file{n, recursive, c.adder(recursive)})
		}
	}
	return files
}

// scheduled says whether a disk of those in a folder like /sys/block has a
// scheduler that counts.
func scheduled(disks string) (bool, error) {
	files, err := filepath.Glob(disks + "/*/queue/scheduler")
	if err != nil {
		return false, err
	}
	for _, f := range files {
		names, err := os.ReadFile(f)
		if err != nil && !cgroups.IsGone(err) {
			return false, err
		}
		if bytes.Contains(names, []byte("[bfq]")) || bytes.Contains(names, []byte("[cfq]")) {
			return true, nil
		}
	}
	return false, nil
}

// counter is one of version 1 by the middle of its files' names.
type counter struct {
	name      string
	throttled bool
	// of says where its values go: a list by operation, or a single one.
	list   func(*mesos.CgroupInfo_Blkio_CFQ_Statistics) *[]*mesos.CgroupInfo_Blkio_Value
	single func(*mesos.CgroupInfo_Blkio_CFQ_Statistics) **uint64
}

type (
	cfq    = mesos.CgroupInfo_Blkio_CFQ_Statistics
	values = []*mesos.CgroupInfo_Blkio_Value
)

var counters = []counter{
	{name: "io_serviced", throttled: true, list: func(s *cfq) *values { return &s.IoServiced }},
	{name: "io_service_bytes", throttled: true, list: func(s *cfq) *values { return &s.IoServiceBytes }},
	{name: "io_service_time", list: func(s *cfq) *values { return &s.IoServiceTime }},
	{name: "io_wait_time", list: func(s *cfq) *values { return &s.IoWaitTime }},
	{name: "io_merged", list: func(s *cfq) *values { return &s.IoMerged }},
	{name: "io_queued", list: func(s *cfq) *values { return &s.IoQueued }},
	{name: "time", single: func(s *cfq) **uint64 { return &s.Time }},
	{name: "sectors", single: func(s *cfq) **uint64 { return &s.Sectors }},
}

func (c counter) adder(k kind) func(*mesos.CgroupInfo_Blkio_Statistics, line) {
	return func(s *mesos.CgroupInfo_Blkio_Statistics, l line) {
		switch {
		case k == throttling:
			to := throttlingOf(s, l)
			if c.name == "io_serviced" {
				to.IoServiced = append(to.IoServiced, l.message())
			} else {
				to.IoServiceBytes = append(to.IoServiceBytes, l.message())
			}
		case c.single != nil:
			*c.single(cfqOf(s, k, l)) = &l.value
		default:
			list := c.list(cfqOf(s, k, l))
			*list = append(*list, l.message())
		}
	}
}

// line is one of a file: a device, or all; an operation, or none; and a value.
type line struct {
	device       bool
	major, minor uint64
	op           mesos.CgroupInfo_Blkio_Operation
	value        uint64
}

func (l line) message() *mesos.CgroupInfo_Blkio_Value {
	v := &mesos.CgroupInfo_Blkio_Value{Value: &l.value}
	if l.op != mesos.CgroupInfo_Blkio_UNKNOWN {
		v.Op = l.op.Enum()
	}
	return v
}

func (l line) number() *mesos.Device_Number {
	if !l.device {
		return nil
	}
	return &mesos.Device_Number{MajorNumber: &l.major, MinorNumber: &l.minor}
}

// throttlingOf is the statistics of a line's device.
func throttlingOf(s *mesos.CgroupInfo_Blkio_Statistics, l line) *mesos.CgroupInfo_Blkio_Throttling_Statistics {
	for _, t := range s.Throttling {
		if proto.Equal(t.Device, l.number()) {
			return t
		}
	}
	t := &mesos.CgroupInfo_Blkio_Throttling_Statistics{Device: l.number()}
	s.Throttling = append(s.Throttling, t)
	return t
}

func cfqOf(s *mesos.CgroupInfo_Blkio_Statistics, k kind, l line) *cfq {
	list := &s.Cfq
	if k == recursive {
		list = &s.CfqRecursive
	}
	for _, c := range *list {
		if proto.Equal(c.Device, l.number()) {
			return c
		}
	}
	c := &cfq{Device: l.number()}
	*list = append(*list, c)
	return c
}

var operations = map[string]mesos.CgroupInfo_Blkio_Operation{
	"Read": mesos.CgroupInfo_Blkio_READ, "Write": mesos.CgroupInfo_Blkio_WRITE, "Sync": mesos.CgroupInfo_Blkio_SYNC,
	"Async": mesos.CgroupInfo_Blkio_ASYNC, "Discard": mesos.CgroupInfo_Blkio_DISCARD, "Total": mesos.CgroupInfo_Blkio_TOTAL,
}

// parse1 reads lines of version 1: "8:0 Read 12", "8:0 12", or "Total 12".
func parse1(b []byte, see func(line)) error {
	for text := range bytes.Lines(b) {
		f := bytes.Fields(text)
		if len(f) == 0 {
			continue
		}
		var l line
		var err error
		if l.device = bytes.IndexByte(f[0], ':') >= 0; l.device {
			if l.major, l.minor, err = device(f[0]); err != nil {
				return err
			}
			f = f[1:]
		}
		if len(f) == 2 {
			op, ok := operations[string(f[0])]
			if !ok {
				continue // a newer kernel's
			}
			l.op, f = op, f[1:]
		}
		if len(f) != 1 {
			return fmt.Errorf("no value in %.60q", text)
		}
		if l.value, err = cgroups.ParseNumber(f[0]); err != nil {
			return fmt.Errorf("%.60q: %w", text, err)
		}
		see(l)
	}
	return nil
}

func device(b []byte) (major, minor uint64, err error) {
	left, right, ok := bytes.Cut(b, []byte{':'})
	if ok {
		if major, err = strconv.ParseUint(string(left), 10, 32); err == nil {
			minor, err = strconv.ParseUint(string(right), 10, 32)
		}
	}
	if !ok || err != nil {
		return 0, 0, fmt.Errorf("no device: %.40q", b)
	}
	return major, minor, nil
}

// keys of version 2.
var keys = map[string]struct {
	op    mesos.CgroupInfo_Blkio_Operation
	bytes bool
}{
	"rbytes": {mesos.CgroupInfo_Blkio_READ, true}, "wbytes": {mesos.CgroupInfo_Blkio_WRITE, true}, "dbytes": {mesos.CgroupInfo_Blkio_DISCARD, true},
	"rios": {mesos.CgroupInfo_Blkio_READ, false}, "wios": {mesos.CgroupInfo_Blkio_WRITE, false}, "dios": {mesos.CgroupInfo_Blkio_DISCARD, false},
}

// parse2 reads io.stat of version 2: "8:0 rbytes=12 wbytes=3 ...", and adds the
// sums that version 1 has.
func parse2(b []byte, s *mesos.CgroupInfo_Blkio_Statistics) error {
	var allBytes, allIOs uint64
	for text := range bytes.Lines(b) {
		f := bytes.Fields(text)
		if len(f) == 0 {
			continue
		}
		l := line{device: true}
		var err error
		if l.major, l.minor, err = device(f[0]); err != nil {
			return err
		}
		var sumBytes, sumIOs uint64
		t := throttlingOf(s, l)
		for _, pair := range f[1:] {
			key, value, _ := bytes.Cut(pair, []byte{'='})
			k, ok := keys[string(key)]
			if !ok {
				continue // of a controller of costs or latencies
			}
			if l.value, err = cgroups.ParseNumber(value); err != nil {
				return fmt.Errorf("%.60q: %w", text, err)
			}
			l.op = k.op
			if k.bytes {
				sumBytes += l.value
				t.IoServiceBytes = append(t.IoServiceBytes, l.message())
			} else {
				sumIOs += l.value
				t.IoServiced = append(t.IoServiced, l.message())
			}
		}
		total(t, sumBytes, sumIOs)
		allBytes += sumBytes
		allIOs += sumIOs
	}
	total(throttlingOf(s, line{}), allBytes, allIOs)
	return nil
}

func total(t *mesos.CgroupInfo_Blkio_Throttling_Statistics, bytes, ios uint64) {
	t.IoServiceBytes = append(t.IoServiceBytes, line{op: mesos.CgroupInfo_Blkio_TOTAL, value: bytes}.message())
	t.IoServiced = append(t.IoServiced, line{op: mesos.CgroupInfo_Blkio_TOTAL, value: ios}.message())
}
