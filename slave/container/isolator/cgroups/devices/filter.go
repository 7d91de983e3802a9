package devices

import (
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf/asm"
	"github.com/containerd/cgroups/v3/cgroup2"
	"golang.org/x/sys/unix"
)

// filter has the kernel (version 2) ask a program about each device. It stays as
// long as the group.
func filter(dir string, rules []Rule) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := cgroup2.LoadAttachCgroupDeviceFilter(instructions(rules), "Apache", int(d.Fd())); err != nil {
		return fmt.Errorf("device filter of %s: %w", dir, err)
	}
	return nil
}

// instructions answer 1 if a rule allows all that is asked for, and else 0.
//
// They are written here because cgroup2.DeviceFilter lets a rule pass that
// allows some of it: to write a device that may only be read.
func instructions(rules []Rule) asm.Instructions {
	// What is asked for, as struct bpf_cgroup_dev_ctx: the type in the lower half
	// of its first word and the access in the upper half, then both numbers.
	program := asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 0, asm.Half),
		asm.LoadMem(asm.R3, asm.R1, 0, asm.Word),
		asm.RSh.Imm32(asm.R3, 16),
		asm.LoadMem(asm.R4, asm.R1, 4, asm.Word),
		asm.LoadMem(asm.R5, asm.R1, 8, asm.Word),
	}
	for n, r := range rules {
		program = append(program, r.instructions(label(n), label(n+1))...)
	}
	return append(program, asm.Mov.Imm32(asm.R0, 0).WithSymbol(label(len(rules))), asm.Return())
}

func label(n int) string { return fmt.Sprintf("rule-%d", n) }

func (r Rule) instructions(here, next string) asm.Instructions {
	kind := int32(unix.BPF_DEVCG_DEV_CHAR)
	if r.Type == 'b' {
		kind = unix.BPF_DEVCG_DEV_BLOCK
	}
	var denied int32
	for letter, bit := range map[string]int32{"r": unix.BPF_DEVCG_ACC_READ, "w": unix.BPF_DEVCG_ACC_WRITE, "m": unix.BPF_DEVCG_ACC_MKNOD} {
		if !strings.Contains(r.Access, letter) {
			denied |= bit
		}
	}
	is := asm.Instructions{asm.JNE.Imm(asm.R2, kind, next).WithSymbol(here)}
	if denied != 0 {
		is = append(is,
			asm.Mov.Reg32(asm.R1, asm.R3),
			asm.And.Imm32(asm.R1, denied),
			asm.JNE.Imm(asm.R1, 0, next))
	}
	if r.Major >= 0 {
		is = append(is, asm.JNE.Imm(asm.R4, int32(r.Major), next))
	}
	if r.Minor >= 0 {
		is = append(is, asm.JNE.Imm(asm.R5, int32(r.Minor), next))
	}
	return append(is, asm.Mov.Imm32(asm.R0, 1), asm.Return())
}
