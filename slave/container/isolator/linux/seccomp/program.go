package seccomp

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// Offsets in struct seccomp_data, of little-endian machines.
const (
	atNumber = 0
	atArch   = 4
	atArgs   = 16
)

// maxProgram is what the kernel takes.
const maxProgram = 4096

// foreign is what becomes of calls in an ABI that the profile does not name.
const foreign = verdict(unix.SECCOMP_RET_KILL_PROCESS)

type program []plan.Instruction

func load(at uint32) plan.Instruction {
	return plan.Instruction{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func give(v verdict) plan.Instruction {
	return plan.Instruction{Code: unix.BPF_RET | unix.BPF_K, K: uint32(v)}
}

func jump(how uint16, k uint32, yes, no uint8) plan.Instruction {
	return plan.Instruction{Code: unix.BPF_JMP | unix.BPF_K | how, K: k, Jt: yes, Jf: no}
}

// either is yes where the comparison holds, else no. Both end with verdicts.
func either(how uint16, k uint32, yes, no program) program {
	if len(yes) <= 255 {
		return slices.Concat(program{jump(how, k, 0, uint8(len(yes)))}, yes, no)
	}
	over := plan.Instruction{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(yes))}
	return slices.Concat(program{jump(how, k, 1, 0), over}, yes, no)
}

// compile makes the program of a profile for a machine.
func compile(p *profile, m machine) ([]plan.Instruction, error) {
	if native[m.goarch] == nil {
		return nil, fmt.Errorf("profiles cannot be compiled for %s", m.goarch)
	}
	def, err := p.action()
	if err != nil {
		return nil, err
	}
	bodies := map[*abi]program{}
	for _, a := range p.abis(m) {
		d, err := p.decisions(a, m)
		if err != nil {
			return nil, err
		}
		if a == amd64 {
			forbidX32(d)
		}
		bodies[a] = tree(ranges(d, def))
	}
	code := program{give(foreign)}
	for _, a := range slices.Backward(native[m.goarch]) {
		body := bodies[a]
		if body == nil || a == x32 {
			continue
		}
		if a == amd64 {
			body = split(body, bodies[x32], def)
		}
		code = either(unix.BPF_JEQ, a.audit, slices.Concat(program{load(atNumber)}, body), code)
	}
	code = append(program{load(atArch)}, code...)
	if len(code) > maxProgram {
		return nil, fmt.Errorf("takes %d instructions, the kernel takes %d", len(code), maxProgram)
	}
	return code, nil
}

// forbidX32 closes what some kernels take for calls of x32 though they are not
// marked so.
func forbidX32(d map[uint32]*decision) {
	for n := uint32(x32First); n <= x32Last; n++ {
		d[n] = &decision{always: foreign, ruled: true}
	}
}

// split tells x32 from amd64. The number -1 is no call of either: a tracer has
// put it there.
func split(own, other program, def verdict) program {
	if other == nil {
		other = program{give(foreign)}
	}
	other = either(unix.BPF_JEQ, 0xffffffff, program{give(def)}, other)
	return either(unix.BPF_JGE, x32Bit, other, own)
}

// span is the numbers from one up to the next span's.
type span struct {
	from uint32
	code program
}

// ranges joins neighbours of which the same is decided.
func ranges(decisions map[uint32]*decision, def verdict) []span {
	spans := []span{{code: program{give(def)}}}
	add := func(from uint32, code program) {
		switch last := &spans[len(spans)-1]; {
		case last.from == from:
			last.code = code
		case !slices.Equal(last.code, code):
			spans = append(spans, span{from, code})
		}
	}
	for _, n := range slices.Sorted(maps.Keys(decisions)) {
		add(n, decisions[n].code())
		if decisions[n+1] == nil {
			add(n+1, program{give(def)})
		}
	}
	return spans
}

// tree finds the span of the number that is loaded.
func tree(spans []span) program {
	if len(spans) == 1 {
		return spans[0].code
	}
	middle := len(spans) / 2
	return either(unix.BPF_JGE, spans[middle].from, tree(spans[middle:]), tree(spans[:middle]))
}

func (d *decision) code() program {
	var code program
	for _, c := range d.when {
		if d.ruled && !c.verdict.stricter(d.always) {
			continue
		}
		code = append(code, c.code()...)
	}
	return append(code, give(d.always))
}

// code gives the verdict if all conditions hold, and falls through otherwise.
func (c condition) code() program {
	code := program{give(c.verdict)}
	for _, a := range slices.Backward(c.args) {
		code = slices.Concat(a.code(uint8(len(code))), code)
	}
	return code
}

// code falls through if the condition holds, and otherwise skips what follows,
// of that length. An argument has two words, the lower one first in memory.
func (a argument) code(rest uint8) program {
	low, high := load(atArgs+8*uint32(a.Index)), load(atArgs+8*uint32(a.Index)+4)
	vl, vh := uint32(a.Value), uint32(a.Value>>32)
	compare := func(how uint16, yes, no uint8, above, below uint8) program {
		return program{high, jump(unix.BPF_JGT, vh, above, 0), jump(unix.BPF_JEQ, vh, 0, below), low, jump(how, vl, yes, no)}
	}
	switch a.Op {
	case equal:
		return program{high, jump(unix.BPF_JEQ, vh, 0, 2+rest), low, jump(unix.BPF_JEQ, vl, 0, rest)}
	case notEqual:
		return program{high, jump(unix.BPF_JEQ, vh, 0, 2), low, jump(unix.BPF_JEQ, vl, rest, 0)}
	case greater:
		return compare(unix.BPF_JGT, 0, rest, 3, 2+rest)
	case greaterEqual:
		return compare(unix.BPF_JGE, 0, rest, 3, 2+rest)
	case less:
		return compare(unix.BPF_JGE, rest, 0, 3+rest, 2)
	case lessEqual:
		return compare(unix.BPF_JGT, rest, 0, 3+rest, 2)
	}
	and := func(k uint32) plan.Instruction {
		return plan.Instruction{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}
	}
	return program{
		high, and(vh), jump(unix.BPF_JEQ, uint32(a.ValueTwo>>32), 0, 3+rest),
		low, and(vl), jump(unix.BPF_JEQ, uint32(a.ValueTwo), 0, rest),
	}
}
