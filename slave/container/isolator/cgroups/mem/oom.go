package mem

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// ooms is what the kernel counts.
type ooms struct {
	// kills in the group and in all below that the limit of a group between them did
	// not bring about, as far as the kernel tells; own are those of the container's
	// own programs.
	kills, own uint64
	// failures at the group's own limit.
	failures uint64
}

// ran says that it was the group's own limit that something was killed for.
func (o ooms) ran() bool { return o.kills > 0 && o.failures > 0 }

// Watch implements isolator.Watcher. Shared containers have no limit to run
// into.
func (i *Isolator) Watch(ctx context.Context, c *isolator.Container, limited func(*isolator.Limit)) error {
	if c.Shared {
		return nil
	}
	dir := i.Dir(0, c)
	watch := i.watch1
	if i.Unified() {
		watch = i.watch2
	}
	var once sync.Once
	err := watch(ctx, dir, func() bool {
		seen, err := i.ooms(c)
		if err != nil || !seen.ran() {
			return false // the group is gone, or it was the limit of one above
		}
		once.Do(func() { limited(i.limit(c, dir, seen)) })
		return true
	})
	if err != nil {
		return fmt.Errorf("cgroups/mem: watch: %w", err)
	}
	return nil
}

// Check implements isolator.Watcher. It tells of programs that the kernel has
// killed, and of a machine without memory too. What a nested container was killed
// for is none of the one around it, unless that has run into its limit.
func (i *Isolator) Check(c *isolator.Container) (*isolator.Limit, error) {
	dir := i.Dir(0, c)
	seen, err := i.ooms(c)
	if cgroups.IsGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cgroups/mem: %w", err)
	}
	if seen.own == 0 && (c.Shared || !seen.ran()) {
		return nil, nil
	}
	return i.limit(c, dir, seen), nil
}

func (i *Isolator) ooms(c *isolator.Container) (ooms, error) {
	dir := i.Dir(0, c)
	if i.Unified() {
		return ooms2(dir, i.Controllers[0].Procs(c.ID))
	}
	return ooms1(dir)
}

// ooms1 sums up what is below: version 1 counts a kill where the process was.
// Kernels before 4.13 do not count.
func ooms1(dir string) (ooms, error) {
	var o ooms
	failures, err := cgroups.Number(dir, failures1)
	if err != nil {
		return o, err
	}
	o.failures = failures
	if o.own, err = kills1(dir); err != nil {
		return o, err
	}
	o.kills, err = below1(dir)
	o.kills += o.own
	return o, err
}

const failures1 = "memory.failcnt"

func kills1(dir string) (kills uint64, err error) {
	err = cgroups.Keyed(dir, "memory.oom_control", func(key []byte, v uint64) {
		if string(key) == "oom_kill" {
			kills = v
		}
	})
	return kills, err
}

// below1 leaves out groups that have run into a limit of their own: what was killed
// there was killed for that.
func below1(dir string) (kills uint64, err error) {
	err = cgroups.Walk(dir, func(at string) error {
		if at == dir || hasRun1(strings.TrimPrefix(at, dir+"/"), dir) {
			return nil
		}
		n, err := kills1(at)
		kills += n
		return err
	})
	return kills, err
}

// hasRun1 says whether a group, or one between it and dir, has run into its limit.
func hasRun1(path, dir string) bool {
	for part := range strings.SplitSeq(path, "/") {
		dir += "/" + part
		if n, err := cgroups.Number(dir, failures1); err == nil && n > 0 {
			return true
		}
	}
	return false
}

func ooms2(dir, procs string) (ooms, error) {
	var o ooms
	err := cgroups.Keyed(dir, "memory.events", func(key []byte, v uint64) {
		if string(key) == "oom_kill" {
			o.kills = v
		}
	})
	if err != nil {
		return o, err
	}
	// "oom" of memory.events counts the limits of nested containers too.
	local := "memory.events.local"
	if !cgroups.Exists(dir, local) {
		local = "memory.events"
	}
	err = cgroups.Keyed(dir, local, func(key []byte, v uint64) {
		switch string(key) {
		case "oom":
			o.failures = v
		case "oom_kill":
			o.own = v
		}
	})
	if err != nil {
		return o, err
	}
	// The container's own programs are counted there once one is nested in it.
	err = cgroups.Keyed(procs, local, func(key []byte, v uint64) {
		if string(key) == "oom_kill" {
			o.own += v
		}
	})
	if cgroups.IsGone(err) {
		err = nil
	}
	return o, err
}

// limit tells what was requested and used, with the statistics of this moment.
// What cannot be read of a group that goes is left out.
func (i *Isolator) limit(c *isolator.Container, dir string, seen ooms) *isolator.Limit {
	most := i.most(dir)
	soft, hard := i.held(c, dir)
	var b strings.Builder
	switch {
	case seen.failures > 0 && !c.Shared:
		fmt.Fprintf(&b, "Memory limit exceeded: Requested: %s Maximum Used: %s", megabytes(hard), megabytes(most))
	case c.Shared:
		fmt.Fprintf(&b, "Killed by the kernel for want of memory, in the container that it shares: Maximum Used: %s", megabytes(most))
	default:
		fmt.Fprintf(&b, "Killed by the kernel for want of memory above its own limit (the machine's, or that of a group around it): Requested: %s Maximum Used: %s",
			megabytes(soft), megabytes(most))
	}
	if err := cgroups.Read(dir, "memory.stat", func(stat []byte) error {
		b.WriteString("\n\nMEMORY STATISTICS:\n")
		b.Write(stat[:min(len(stat), maxStat)])
		return nil
	}); err != nil {
		fmt.Fprintf(&b, "\n\nno memory statistics: %v", err)
	}
	return &isolator.Limit{
		Reason:  mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY,
		Message: b.String(),
		Resources: []*mesos.Resource{{
			Name: proto.String("mem"), Type: mesos.Value_SCALAR.Enum(), Role: proto.String("*"),
			Scalar: &mesos.Value_Scalar{Value: proto.Float64(tenths(most))},
		}},
	}
}

// held are the limits that the kernel holds a container to now, which may not be
// those that it began with.
func (i *Isolator) held(c *isolator.Container, dir string) (soft, hard uint64) {
	soft, hard = limits(c.Amounts)
	files := [2]string{softLimit1, hardLimit1}
	if i.Unified() {
		files = [2]string{softLimit2, hardLimit2}
	}
	for n, to := range [2]*uint64{&soft, &hard} {
		if is, err := cgroups.Number(dir, files[n]); err == nil && is < unlimited1 {
			*to = is
		}
	}
	return soft, hard
}

// maxStat bounds the statistics in a message, in bytes; the kernel's have 2 KB.
const maxStat = 8 << 10

// most is the largest amount that was ever used, or what is used now on kernels
// of version 2 that do not keep it (before 5.19), in bytes.
func (i *Isolator) most(dir string) uint64 {
	files := []string{"memory.max_usage_in_bytes"}
	if i.Unified() {
		files = []string{"memory.peak", "memory.current"}
	} else if i.settings.LimitSwap {
		files = []string{"memory.memsw.max_usage_in_bytes", files[0]}
	}
	for _, f := range files {
		if n, err := cgroups.Number(dir, f); err == nil {
			return n
		}
	}
	return 0
}

func megabytes(n uint64) string {
	if n == unlimited {
		return "unlimited"
	}
	return fmt.Sprintf("%gMB", tenths(n))
}

// tenths is in MB, rounded to a tenth: the kernel may count a few pages more than
// it lets programs have.
func tenths(n uint64) float64 { return math.Round(float64(n)/(1<<20)*10) / 10 }
