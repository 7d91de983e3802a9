package seccomp

import (
	"encoding/json"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"troupe/slave/container/plan"
)

// call is struct seccomp_data.
type call struct {
	number, arch uint32
	args         [6]uint64
}

func (c call) word(at uint32) uint32 {
	switch at {
	case atNumber:
		return c.number
	case atArch:
		return c.arch
	}
	word := c.args[(at-atArgs)/8]
	if at%8 == 4 {
		word >>= 32
	}
	return uint32(word)
}

// interpret does what the kernel does with a program.
func interpret(t interface{ Fatalf(string, ...any) }, code []plan.Instruction, c call) verdict {
	var a uint32
	for at := 0; at < len(code); at++ {
		switch n := code[at]; n.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = c.word(n.K)
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= n.K
		case unix.BPF_RET | unix.BPF_K:
			return verdict(n.K)
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(n.K)
		default:
			holds := map[uint16]bool{unix.BPF_JEQ: a == n.K, unix.BPF_JGE: a >= n.K, unix.BPF_JGT: a > n.K}[n.Code&0xf0]
			if at += int(n.Jf); holds {
				at += int(n.Jt) - int(n.Jf)
			}
		}
	}
	t.Fatalf("the program has an end without a verdict")
	return 0
}

func (a argument) holds(args [6]uint64) bool {
	x := args[a.Index]
	switch a.Op {
	case equal:
		return x == a.Value
	case notEqual:
		return x != a.Value
	case less:
		return x < a.Value
	case lessEqual:
		return x <= a.Value
	case greater:
		return x > a.Value
	case greaterEqual:
		return x >= a.Value
	}
	return x&a.Value == a.ValueTwo
}

// meaning is the stupid way: every rule is looked at.
func meaning(p *profile, m machine, name string, args [6]uint64) verdict {
	result, err := p.action()
	if err != nil {
		panic(err)
	}
	var always, when *verdict
	stricter := func(to **verdict, v verdict) {
		if *to == nil || v.stricter(**to) {
			*to = &v
		}
	}
	for i := range p.Syscalls {
		r := &p.Syscalls[i]
		if !r.counts(m) || !slices.Contains(r.names(), name) {
			continue
		}
		v, err := r.action()
		if err != nil {
			panic(err)
		}
		if slices.ContainsFunc(r.Args, func(a argument) bool { return !a.holds(args) }) {
			continue
		}
		if len(r.Args) == 0 {
			stricter(&always, v)
		} else {
			stricter(&when, v)
		}
	}
	if always != nil {
		result = *always
	}
	if when != nil && (always == nil || when.stricter(*always)) {
		result = *when
	}
	return result
}

var here = machine{goarch: "amd64", kernel: version{6, 1}, bounding: 1 << 21}

func randomProfile(t *rapid.T) *profile {
	var names []string
	for name, row := range table() {
		if row[amd64.column] >= 0 && row[amd64.column] < 60 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	action := rapid.SampledFrom([]string{"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"})
	word := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64(), rapid.Map(rapid.Uint64Range(0, 3), func(n uint64) uint64 { return n << 32 }))
	p := &profile{DefaultAction: action.Draw(t, "default")}
	for range rapid.IntRange(0, 12).Draw(t, "rules") {
		r := rule{Names: rapid.SliceOfN(rapid.SampledFrom(names), 1, 6).Draw(t, "names"), Action: action.Draw(t, "action")}
		for _, index := range rapid.SliceOfNDistinct(rapid.UintRange(0, 5), 0, 3, rapid.ID).Draw(t, "indices") {
			a := argument{Index: index, Op: rapid.SampledFrom([]string{equal, notEqual, less, lessEqual, greater, greaterEqual, maskedEqual}).Draw(t, "op"), Value: word.Draw(t, "value")}
			if a.Op == maskedEqual {
				a.ValueTwo = word.Draw(t, "two") & a.Value
			}
			r.Args = append(r.Args, a)
		}
		p.Syscalls = append(p.Syscalls, r)
	}
	return p
}

func TestProgramsMeanWhatProfilesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProfile(t)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = parse(data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		code, err := compile(p, here)
		if err != nil {
			t.Fatal(err)
		}
		for name, row := range table() {
			if row[amd64.column] < 0 || row[amd64.column] > 64 {
				continue
			}
			c := call{number: uint32(row[amd64.column]), arch: unix.AUDIT_ARCH_X86_64}
			for i := range c.args {
				c.args[i] = rapid.OneOf(rapid.Uint64Range(0, 4), rapid.Uint64()).Draw(t, "argument")
			}
			if got, want := interpret(t, code, c), meaning(p, here, name, c.args); got != want {
				t.Fatalf("%s%v: %#x, want %#x", name, c.args, got, want)
			}
		}
	})
}

// What a profile says of arguments holds at the borders of the words too.
func TestComparisons(t *testing.T) {
	values := []uint64{0, 1, 2, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 33, 1<<63 + 5, 1<<64 - 1}
	for op := range operators {
		for _, value := range values {
			a := argument{Index: 3, Op: op, Value: value}
			if op == maskedEqual {
				a.ValueTwo = value & 0x100000001
			}
			code := append(a.code(1), give(unix.SECCOMP_RET_ALLOW), give(unix.SECCOMP_RET_TRAP))
			for _, x := range values {
				c := call{args: [6]uint64{3: x}}
				if got, want := interpret(t, code, c) == unix.SECCOMP_RET_ALLOW, a.holds(c.args); got != want {
					t.Errorf("%#x %s %#x %#x: %v", x, op, a.Value, a.ValueTwo, got)
				}
			}
		}
	}
}

func TestLongPrograms(t *testing.T) {
	p := &profile{DefaultAction: "SCMP_ACT_ERRNO"}
	for n := range 400 {
		p.Syscalls = append(p.Syscalls, rule{Names: []string{"ioctl"}, Action: "SCMP_ACT_ALLOW", Args: []argument{{Index: 1, Op: equal, Value: uint64(n)}}})
	}
	code, err := compile(p, here)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(402) {
		want := verdict(unix.SECCOMP_RET_ALLOW)
		if n >= 400 {
			want = unix.SECCOMP_RET_ERRNO | 1
		}
		if got := interpret(t, code, call{number: 16, arch: unix.AUDIT_ARCH_X86_64, args: [6]uint64{1: n}}); got != want {
			t.Errorf("%d: %#x", n, got)
		}
	}
	for n := range 800 {
		p.Syscalls = append(p.Syscalls, rule{Names: []string{"ioctl"}, Action: "SCMP_ACT_ALLOW", Args: []argument{{Index: 2, Op: equal, Value: uint64(n)}}})
	}
	if _, err := compile(p, here); err == nil {
		t.Error("a program is made that the kernel does not take")
	}
}
