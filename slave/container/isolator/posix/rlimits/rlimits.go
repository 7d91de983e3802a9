// Package rlimits sets the limits of processes that a container asks for, such
// as that of open files. Imported by wiring.
package rlimits

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "posix/rlimits"

// resources are the kernel's numbers.
var resources = map[mesos.RLimitInfo_RLimit_Type]int{
	mesos.RLimitInfo_RLimit_RLMT_AS:         unix.RLIMIT_AS,
	mesos.RLimitInfo_RLimit_RLMT_CORE:       unix.RLIMIT_CORE,
	mesos.RLimitInfo_RLimit_RLMT_CPU:        unix.RLIMIT_CPU,
	mesos.RLimitInfo_RLimit_RLMT_DATA:       unix.RLIMIT_DATA,
	mesos.RLimitInfo_RLimit_RLMT_FSIZE:      unix.RLIMIT_FSIZE,
	mesos.RLimitInfo_RLimit_RLMT_LOCKS:      unix.RLIMIT_LOCKS,
	mesos.RLimitInfo_RLimit_RLMT_MEMLOCK:    unix.RLIMIT_MEMLOCK,
	mesos.RLimitInfo_RLimit_RLMT_MSGQUEUE:   unix.RLIMIT_MSGQUEUE,
	mesos.RLimitInfo_RLimit_RLMT_NICE:       unix.RLIMIT_NICE,
	mesos.RLimitInfo_RLimit_RLMT_NOFILE:     unix.RLIMIT_NOFILE,
	mesos.RLimitInfo_RLimit_RLMT_NPROC:      unix.RLIMIT_NPROC,
	mesos.RLimitInfo_RLimit_RLMT_RSS:        unix.RLIMIT_RSS,
	mesos.RLimitInfo_RLimit_RLMT_RTPRIO:     unix.RLIMIT_RTPRIO,
	mesos.RLimitInfo_RLimit_RLMT_RTTIME:     unix.RLIMIT_RTTIME,
	mesos.RLimitInfo_RLimit_RLMT_SIGPENDING: unix.RLIMIT_SIGPENDING,
	mesos.RLimitInfo_RLimit_RLMT_STACK:      unix.RLIMIT_STACK,
}

// infinity is what "no limit" is in the kernel.
const infinity = math.MaxUint64

// sysResource is the number of the capability to raise hard limits.
const sysResource = unix.CAP_SYS_RESOURCE

// Isolator sets limits. It keeps no state.
type Isolator struct {
	// Of this process: whose descendants cannot have more, unless it may raise.
	hard     func(resource int) (uint64, error)
	mayRaise bool
	// files is the most open files that the kernel lets anybody have.
	files uint64
}

// mostFiles is the file that says so.
const mostFiles = "/proc/sys/fs/nr_open"

// New fails when the process cannot read what it may.
func New() (*Isolator, error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return nil, fmt.Errorf("%s: read own capabilities: %w", Name, err)
	}
	text, err := os.ReadFile(mostFiles)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	files, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", Name, mostFiles, err)
	}
	return &Isolator{hard: hardLimit, files: files, mayRaise: data[sysResource/32].Effective&(1<<(sysResource%32)) != 0}, nil
}

// hardLimit does not take what the Go runtime does to the soft limit of open
// files for a limit: it asks for the hard one.
func hardLimit(resource int) (uint64, error) {
	var l unix.Rlimit
	if err := unix.Prlimit(0, resource, nil, &l); err != nil {
		return 0, err
	}
	return l.Max, nil
}

// Name is as --isolation has it.
func (i *Isolator) Name() string { return Name }

// Prepare plans the limits. One that this process could not set is refused.
// Errors name the field.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	var limits []plan.Rlimit
	seen := map[int]bool{}
	for n, r := range c.Info.GetRlimitInfo().GetRlimits() {
		l, err := i.limit(r)
		if err == nil && seen[l.Resource] {
			err = field.Invalid("type", r.GetType(), "is given more than once")
		}
		if err != nil {
			return field.In("container.rlimit_info", field.At("rlimits", n, err))
		}
		seen[l.Resource] = true
		limits = append(limits, l)
	}
	p.Rlimits = append(p.Rlimits, limits...)
	return nil
}

func (i *Isolator) limit(r *mesos.RLimitInfo_RLimit) (plan.Rlimit, error) {
	number, known := resources[r.GetType()]
	if !known {
		return plan.Rlimit{}, field.Invalid("type", r.GetType(), "is not a limit that Linux knows")
	}
	l := plan.Rlimit{Resource: number, Soft: infinity, Hard: infinity}
	switch {
	case (r.Soft == nil) != (r.Hard == nil):
		return plan.Rlimit{}, field.Invalid("", r.GetType(), "must have both soft and hard, or neither for no limit")
	case r.Soft != nil:
		l.Soft, l.Hard = r.GetSoft(), r.GetHard()
	}
	if l.Soft > l.Hard {
		return plan.Rlimit{}, field.Invalid("soft", show(l.Soft), "of %s is above hard, which is %s", r.GetType(), show(l.Hard))
	}
	own, err := i.hard(number)
	if err != nil {
		return plan.Rlimit{}, fmt.Errorf("read the agent's own %s: %w", r.GetType(), err)
	}
	if number == unix.RLIMIT_NOFILE && l.Hard > i.files {
		return plan.Rlimit{}, field.Invalid("hard", show(l.Hard), "of %s is above %s, the most that this machine's kernel gives anybody (sysctl fs.nr_open)", r.GetType(), show(i.files))
	}
	if l.Hard > own && !i.mayRaise {
		return plan.Rlimit{}, field.Invalid("hard", show(l.Hard), "is above the agent's own hard limit of %s, %s, which it may not raise: it lacks the capability SYS_RESOURCE", r.GetType(), show(own))
	}
	return l, nil
}

// amount is a limit's value as text that errors show without quotes.
type amount string

func show(value uint64) amount {
	if value == infinity {
		return "unlimited"
	}
	return amount(strconv.FormatUint(value, 10))
}
