package seccomp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/slave/container/isolator/linux/capabilities"
)

// scmpArches are all that a profile may speak of.
var scmpArches = func() map[string]bool {
	known := map[string]bool{}
	for a := range strings.FieldsSeq("X86 X86_64 X32 ARM AARCH64 MIPS MIPSEL MIPS64 MIPSEL64 MIPS64N32 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB") {
		known["SCMP_ARCH_"+a] = true
	}
	return known
}()

// goArches are what includes and excludes may speak of: architectures as Docker
// and Go name them.
var goArches = strings.Fields("x86 386 amd64 x32 arm arm64 mips mipsel mipsle mips64 mipsel64 mips64le mips64n32 mipsel64n32 ppc ppc64 ppc64le s390 s390x riscv64 loong64 parisc parisc64")

// machine is where a profile is used.
type machine struct {
	// goarch is amd64 or arm64.
	goarch string
	// kernel is its version, as 6.18.
	kernel version
	// bounding are the capabilities that a program can have at most, which decides
	// where a profile asks for capabilities.
	bounding capabilities.Set
}

type version struct{ major, minor int }

// toVersion takes the numbers before the second point, and leaves the rest.
func toVersion(text string) (version, error) {
	major, rest, _ := strings.Cut(text, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	a, errA := strconv.ParseUint(major, 10, 16)
	b, errB := strconv.ParseUint(rest, 10, 16)
	if errA != nil || errB != nil {
		return version{}, fmt.Errorf("%q is no version of a kernel", text)
	}
	return version{int(a), int(b)}, nil
}

func (v version) atLeast(w version) bool {
	return v.major > w.major || v.major == w.major && v.minor >= w.minor
}

func (f *filter) check() error {
	for i, c := range f.Caps {
		if _, err := capabilities.Parse(c); err != nil {
			return field.At("caps", i, field.Invalid("", c, "is not known"))
		}
	}
	for i, a := range f.Arches {
		if !slices.Contains(goArches, a) {
			return field.At("arches", i, field.Invalid("", a, "is not known"))
		}
	}
	if f.MinKernel == "" {
		return nil
	}
	if _, err := toVersion(f.MinKernel); err != nil {
		return field.Invalid("minKernel", f.MinKernel, "is no version of a kernel")
	}
	return nil
}

// counts tells whether a rule is used on a machine.
func (r *rule) counts(m machine) bool {
	in, out := &r.Includes, &r.Excludes
	if len(in.Arches) > 0 && !slices.Contains(in.Arches, m.goarch) || slices.Contains(out.Arches, m.goarch) {
		return false
	}
	for _, c := range in.Caps {
		if s, err := capabilities.Parse(c); err != nil || m.bounding&s == 0 {
			return false
		}
	}
	for _, c := range out.Caps {
		if s, err := capabilities.Parse(c); err != nil || m.bounding&s != 0 {
			return false
		}
	}
	if v, err := toVersion(in.MinKernel); in.MinKernel != "" && (err != nil || !m.kernel.atLeast(v)) {
		return false
	}
	if v, err := toVersion(out.MinKernel); out.MinKernel != "" && (err != nil || m.kernel.atLeast(v)) {
		return false
	}
	return true
}

// abis are those in which programs may call, by the profile; the machine's own
// always.
func (p *profile) abis(m machine) []*abi {
	own := native[m.goarch]
	var named []string
	named = append(named, p.Architectures...)
	for _, a := range p.ArchMap {
		if a.Architecture == own[0].scmp {
			named = append(named, a.SubArchitectures...)
		}
	}
	found := []*abi{own[0]}
	for _, a := range own[1:] {
		if slices.Contains(named, a.scmp) {
			found = append(found, a)
		}
	}
	return found
}

// decision is what is decided of one system call: what always holds, by a rule
// if ruled and by default otherwise, and what holds under conditions, the
// strictest first.
type decision struct {
	always verdict
	ruled  bool
	when   []condition
}

type condition struct {
	args    []argument
	verdict verdict
}

// decisions are those of an ABI by number. What is not there has the default
// action.
func (p *profile) decisions(a *abi, m machine) (map[uint32]*decision, error) {
	def, err := p.action()
	if err != nil {
		return nil, err
	}
	s := &selection{abi: a, fallback: def, found: map[uint32]*decision{}}
	for i := range p.Syscalls {
		if r := &p.Syscalls[i]; r.counts(m) {
			if err := s.add(r); err != nil {
				return nil, field.At("syscalls", i, err)
			}
		}
	}
	for _, d := range s.found {
		slices.SortStableFunc(d.when, func(x, y condition) int {
			switch {
			case x.verdict.stricter(y.verdict):
				return -1
			case y.verdict.stricter(x.verdict):
				return 1
			}
			return 0
		})
	}
	return s.found, nil
}

// selection collects. Of several rules for one call the strictest counts, in
// whatever order they stand.
type selection struct {
	abi      *abi
	fallback verdict
	found    map[uint32]*decision
}

func (s *selection) add(r *rule) error {
	v, err := r.action()
	if err != nil {
		return err
	}
	for i, name := range r.names() {
		numbers, known := s.abi.numbers(name)
		if !known {
			return field.At("names", i, field.Invalid("", name, "is no system call that is known"))
		}
		for _, n := range numbers {
			s.one(n, r.Args, v)
		}
		s.multiplexed(name, r.Args, v)
	}
	return nil
}

func (s *selection) one(n uint32, args []argument, v verdict) {
	d := s.found[n]
	if d == nil {
		d = &decision{always: s.fallback}
		s.found[n] = d
	}
	switch {
	case len(args) > 0:
		d.when = append(d.when, condition{args: s.abi.narrow(args), verdict: v})
	case !d.ruled || v.stricter(d.always):
		d.always, d.ruled = v, true
	}
}

// multiplexed does the same for the other way to a call that 386 has: socketcall
// and ipc, which have the number of what they do in their first argument, and the
// rest out of a filter's sight. What is forbidden under conditions is forbidden
// there without; what is allowed under conditions is not allowed by it.
func (s *selection) multiplexed(name string, args []argument, v verdict) {
	by, number, ok := s.abi.multiplexer(name)
	if !ok || len(args) > 0 && !v.stricter(unix.SECCOMP_RET_LOG) {
		return
	}
	n, _ := s.abi.numbers(by)
	s.one(n[0], []argument{{Index: 0, Op: maskedEqual, Value: 0xffff, ValueTwo: number}}, v)
}
