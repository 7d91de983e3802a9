package seccomp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
)

// profile is a file, as OCI's runtime specification and Docker have it. What is
// not here is refused: a rule that is not understood might be the one that
// counts.
type profile struct {
	Comment         string   `json:"comment"`
	DefaultAction   string   `json:"defaultAction"`
	DefaultErrno    string   `json:"defaultErrno"`
	DefaultErrnoRet *uint32  `json:"defaultErrnoRet"`
	Architectures   []string `json:"architectures"`
	ArchMap         []struct {
		Architecture     string   `json:"architecture"`
		SubArchitectures []string `json:"subArchitectures"`
	} `json:"archMap"`
	Flags    []string `json:"flags"`
	Syscalls []rule   `json:"syscalls"`
}

// rule is for some system calls.
type rule struct {
	Comment  string     `json:"comment"`
	Name     string     `json:"name"`
	Names    []string   `json:"names"`
	Action   string     `json:"action"`
	Errno    string     `json:"errno"`
	ErrnoRet *uint32    `json:"errnoRet"`
	Args     []argument `json:"args"`
	Includes filter     `json:"includes"`
	Excludes filter     `json:"excludes"`
}

// argument is a condition on one of a call's. With MASKED_EQ, Value is the mask.
type argument struct {
	Index    uint   `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

// filter says where a rule counts.
type filter struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"`
	MinKernel string   `json:"minKernel"`
}

// maxProfile bounds a file.
const maxProfile = 4 << 20

// parse reads a profile and checks all of it that does not depend on where it is
// used. Errors name the field.
func parse(data []byte) (*profile, error) {
	if len(data) > maxProfile {
		return nil, fmt.Errorf("has %d bytes, more than %d", len(data), maxProfile)
	}
	var p profile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows behind the profile")
	}
	if _, err := p.action(); err != nil {
		return nil, err
	}
	for i, f := range p.Flags {
		if f != "SECCOMP_FILTER_FLAG_TSYNC" { // a container begins with one thread
			return nil, field.At("flags", i, field.Invalid("", f, "cannot be had"))
		}
	}
	if len(p.ArchMap) > 0 && len(p.Architectures) > 0 {
		return nil, field.Invalid("architectures", nil, "cannot be given with archMap")
	}
	if err := p.checkArchitectures(); err != nil {
		return nil, err
	}
	for i := range p.Syscalls {
		if err := p.Syscalls[i].check(); err != nil {
			return nil, field.At("syscalls", i, err)
		}
	}
	return &p, nil
}

func (p *profile) checkArchitectures() error {
	for i, a := range p.Architectures {
		if !scmpArches[a] {
			return field.At("architectures", i, field.Invalid("", a, "is not known"))
		}
	}
	for i, m := range p.ArchMap {
		for _, a := range append([]string{m.Architecture}, m.SubArchitectures...) {
			if !scmpArches[a] {
				return field.At("archMap", i, field.Invalid("", a, "is not known"))
			}
		}
	}
	return nil
}

func (p *profile) action() (verdict, error) {
	v, err := toVerdict(p.DefaultAction, p.DefaultErrno, p.DefaultErrnoRet, "defaultErrno")
	var e *field.Error
	if errors.As(err, &e) && e.Path == "action" {
		e.Path = "defaultAction"
	}
	return v, err
}

// names are those of all calls that a rule is for.
func (r *rule) names() []string {
	if r.Name != "" {
		return []string{r.Name}
	}
	return r.Names
}

func (r *rule) action() (verdict, error) {
	return toVerdict(r.Action, r.Errno, r.ErrnoRet, "errno")
}

func (r *rule) check() error {
	switch {
	case r.Name != "" && len(r.Names) > 0:
		return field.Invalid("name", r.Name, "cannot be given with names")
	case len(r.names()) == 0:
		return field.Missing("names")
	}
	if _, err := r.action(); err != nil {
		return err
	}
	seen := [6]bool{}
	for i, a := range r.Args {
		if err := a.check(); err != nil {
			return field.At("args", i, err)
		}
		if seen[a.Index] {
			return field.At("args", i, field.Invalid("index", a.Index, "is compared more than once, which readers of this format understand differently: write a rule for each"))
		}
		seen[a.Index] = true
	}
	for name, f := range map[string]*filter{"includes": &r.Includes, "excludes": &r.Excludes} {
		if err := f.check(); err != nil {
			return field.In(name, err)
		}
	}
	return nil
}

func (a argument) check() error {
	if a.Index > 5 {
		return field.Invalid("index", a.Index, "must be at most 5")
	}
	if !operators[a.Op] {
		return field.Invalid("op", a.Op, "is not known")
	}
	if a.Op == maskedEqual && a.ValueTwo&^a.Value != 0 {
		return field.Invalid("valueTwo", a.ValueTwo, "has bits that the mask, value, does not: no argument could match")
	}
	return nil
}

const (
	notEqual     = "SCMP_CMP_NE"
	less         = "SCMP_CMP_LT"
	lessEqual    = "SCMP_CMP_LE"
	equal        = "SCMP_CMP_EQ"
	greaterEqual = "SCMP_CMP_GE"
	greater      = "SCMP_CMP_GT"
	maskedEqual  = "SCMP_CMP_MASKED_EQ"
)

var operators = map[string]bool{notEqual: true, less: true, lessEqual: true, equal: true, greaterEqual: true, greater: true, maskedEqual: true}

// verdict is what a filter returns to the kernel, whose order of strictness is
// that of the numbers, as signed ones.
type verdict uint32

// stricter: what both a and b are for, a decides.
func (v verdict) stricter(b verdict) bool {
	return int32(v&unix.SECCOMP_RET_ACTION_FULL) < int32(b&unix.SECCOMP_RET_ACTION_FULL)
}

const maxErrno = 4095

var actions = map[string]verdict{
	"SCMP_ACT_KILL": unix.SECCOMP_RET_KILL_THREAD, "SCMP_ACT_KILL_THREAD": unix.SECCOMP_RET_KILL_THREAD,
	"SCMP_ACT_KILL_PROCESS": unix.SECCOMP_RET_KILL_PROCESS, "SCMP_ACT_TRAP": unix.SECCOMP_RET_TRAP,
	"SCMP_ACT_ERRNO": unix.SECCOMP_RET_ERRNO, "SCMP_ACT_TRACE": unix.SECCOMP_RET_TRACE,
	"SCMP_ACT_LOG": unix.SECCOMP_RET_LOG, "SCMP_ACT_ALLOW": unix.SECCOMP_RET_ALLOW,
}

// toVerdict understands an error by name and by number; both must agree. EPERM
// is what is returned without one.
func toVerdict(action, name string, number *uint32, path string) (verdict, error) {
	v, ok := actions[action]
	if !ok {
		return 0, field.Invalid("action", action, "cannot be had")
	}
	takes := v == unix.SECCOMP_RET_ERRNO || v == unix.SECCOMP_RET_TRACE
	if !takes && name != "" {
		return 0, field.Invalid(path, name, "is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE")
	}
	if !takes {
		return v, nil
	}
	errno := uint32(unix.EPERM)
	if number != nil {
		errno = *number
	}
	if errno > maxErrno {
		return 0, field.Invalid(path+"Ret", errno, "must be at most %d", maxErrno)
	}
	if name == "" {
		return v | verdict(errno), nil
	}
	for n := range uint32(maxErrno + 1) {
		if unix.ErrnoName(unix.Errno(n)) == name && (number == nil || n == errno) {
			return v | verdict(n), nil
		}
	}
	return 0, field.Invalid(path, name, "is not known, or is not %sRet", path)
}
