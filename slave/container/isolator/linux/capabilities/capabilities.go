// Package capabilities gives programs the capabilities of Linux that their
// container asks for, within what the operator allows, and no others. Imported
// by wiring, and by linux/seccomp, whose rules depend on capabilities.
package capabilities

import (
	"context"
	"errors"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "linux/capabilities"

// Settings are the operator's. A nil one is not set; an empty one is: it allows
// none.
type Settings struct {
	// Effective is what programs begin with whose container does not say
	// (--effective_capabilities).
	Effective *mesos.CapabilityInfo
	// Bounding is the most that any program can ever have
	// (--bounding_capabilities).
	Bounding *mesos.CapabilityInfo
}

// Isolator holds programs to capabilities. It keeps no state.
type Isolator struct {
	effective, bounding *Set
	held                Held
	last                int
}

// New fails when the settings contradict each other, name what the kernel does
// not know, or give what this process does not have, and when it may not change
// bounding sets.
func New(s Settings) (*Isolator, error) {
	held, err := Hold()
	if err != nil {
		return nil, err
	}
	last, err := lastKnown()
	if err != nil {
		return nil, err
	}
	return within(s, held, last)
}

func within(s Settings, held Held, last int) (*Isolator, error) {
	i := &Isolator{held: held, last: last}
	if setpcap := Set(1) << (mesos.CapabilityInfo_SETPCAP - first); held.Permitted&setpcap == 0 {
		return nil, errors.New(Name + " needs root: this process lacks the capability SETPCAP")
	}
	var err error
	if i.effective, err = i.optional("--effective_capabilities", s.Effective); err != nil {
		return nil, err
	}
	if i.bounding, err = i.optional("--bounding_capabilities", s.Bounding); err != nil {
		return nil, err
	}
	if i.effective == nil {
		return i, nil
	}
	if i.bounding != nil {
		if beyond := *i.effective &^ *i.bounding; beyond != 0 {
			return nil, field.Invalid("--effective_capabilities", beyond, "not in --bounding_capabilities, which has %s", *i.bounding)
		}
	}
	return i, field.In("--effective_capabilities", i.canGive(*i.effective))
}

// optional is nil for nil.
func (i *Isolator) optional(path string, info *mesos.CapabilityInfo) (*Set, error) {
	if info == nil {
		return nil, nil
	}
	s, err := of(info, i.last)
	if err != nil {
		return nil, field.In(path, err)
	}
	return &s, nil
}

func (i *Isolator) canGive(s Set) error {
	if lacking := s &^ (i.held.Permitted & i.held.Bounding); lacking != 0 {
		return field.Invalid("", lacking, "the agent does not have it itself, and cannot give it")
	}
	return nil
}

// Name is as --isolation has it.
func (i *Isolator) Name() string { return Name }

// Prepare plans the capabilities that a container asked for, or that the
// operator gives to those that did not. Without either it plans none. Errors
// name the field.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	effective, bounding, err := i.asked(c.Info.GetLinuxInfo())
	if err != nil {
		return field.In("container.linux_info", err)
	}
	if effective == nil {
		effective = i.effective
	}
	switch {
	case bounding != nil:
	case i.bounding != nil:
		bounding = i.bounding
	case effective != nil:
		bounding = effective
	default:
		return nil
	}
	if effective == nil {
		p.Capabilities = &plan.Capabilities{Bounding: uint64(*bounding), BoundingOnly: true}
		return nil
	}
	if beyond := *effective &^ *bounding; beyond != 0 {
		return field.In("container.linux_info.effective_capabilities", field.Invalid("", beyond, "not allowed, only %s can be had", *bounding))
	}
	if err := i.canGive(*effective); err != nil {
		return field.In("container.linux_info.effective_capabilities", err)
	}
	p.Capabilities = &plan.Capabilities{Effective: uint64(*effective), Bounding: uint64(*bounding)}
	return nil
}

// asked is what a container asks for; nil where it does not.
func (i *Isolator) asked(l *mesos.LinuxInfo) (effective, bounding *Set, err error) {
	old, now := deprecated(l), l.GetEffectiveCapabilities()
	if old != nil && now != nil {
		return nil, nil, field.Invalid("capability_info", nil, "is an older way to say effective_capabilities: only one of both may be set")
	}
	name := "effective_capabilities"
	if old != nil {
		name, now = "capability_info", old
	}
	if effective, err = i.optional(name, now); err != nil {
		return nil, nil, err
	}
	if bounding, err = i.optional("bounding_capabilities", l.GetBoundingCapabilities()); err != nil {
		return nil, nil, err
	}
	if bounding != nil && i.bounding != nil {
		if beyond := *bounding &^ *i.bounding; beyond != 0 {
			return nil, nil, field.In("bounding_capabilities", field.Invalid("", beyond, "not allowed, only %s can be had", *i.bounding))
		}
	}
	return effective, bounding, nil
}

// deprecated reads the field by its descriptor: frameworks of old still set it.
func deprecated(l *mesos.LinuxInfo) *mesos.CapabilityInfo {
	if l == nil {
		return nil
	}
	m := l.ProtoReflect()
	f := m.Descriptor().Fields().ByName("capability_info")
	if !m.Has(f) {
		return nil
	}
	return m.Get(f).Message().Interface().(*mesos.CapabilityInfo)
}
