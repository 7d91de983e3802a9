package seccomp

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

//go:generate go run ../../../../../tools/syscalls ../../../../.. numbers.txt

//go:embed numbers.txt
var numbersText string

// table has the numbers of a call on amd64, 386, arm64 and arm, -1 where it has
// none.
var table = sync.OnceValue(func() map[string][4]int64 {
	all := map[string][4]int64{}
	for line := range strings.Lines(numbersText) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			continue
		}
		row := [4]int64{-1, -1, -1, -1}
		for i, text := range fields[1:] {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				row[i] = n
			}
		}
		all[fields[0]] = row
	}
	return all
})

// abi is a way to call the kernel.
type abi struct {
	// scmp is its name in profiles.
	scmp string
	// audit is what the kernel calls it.
	audit uint32
	// column of the table.
	column int
	// narrow32: arguments have 32 bits.
	narrow32 bool
}

var (
	amd64 = &abi{scmp: "SCMP_ARCH_X86_64", audit: unix.AUDIT_ARCH_X86_64, column: 0}
	i386  = &abi{scmp: "SCMP_ARCH_X86", audit: unix.AUDIT_ARCH_I386, column: 1, narrow32: true}
	x32   = &abi{scmp: "SCMP_ARCH_X32", audit: unix.AUDIT_ARCH_X86_64, column: 0}
	arm64 = &abi{scmp: "SCMP_ARCH_AARCH64", audit: unix.AUDIT_ARCH_AARCH64, column: 2}
	arm   = &abi{scmp: "SCMP_ARCH_ARM", audit: unix.AUDIT_ARCH_ARM, column: 3, narrow32: true}
)

// native are the ABIs of a machine, its own first.
var native = map[string][]*abi{"amd64": {amd64, i386, x32}, "arm64": {arm64, arm}}

const (
	// x32Bit marks the numbers of x32, which shares its architecture with amd64.
	x32Bit = 0x40000000
	// From x32First to x32Last are numbers of x32 alone, which kernels before 5.4
	// take without the mark as well.
	x32First, x32Last = 512, 547
)

// x32Own are the calls that x32 has at other numbers than amd64, in order from
// x32First.
var x32Own = strings.Fields(`rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace
	rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list
	get_robust_list vmsplice move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv
	process_vm_writev setsockopt getsockopt io_setup io_submit execveat preadv2 pwritev2`)

// numbers are those of a call, none where only other architectures have it.
func (a *abi) numbers(name string) (numbers []uint32, known bool) {
	row, known := table()[name]
	if !known || row[a.column] < 0 {
		return nil, known
	}
	n := uint32(row[a.column])
	if a != x32 {
		return []uint32{n}, true
	}
	numbers = []uint32{n | x32Bit}
	for i, own := range x32Own {
		if own == name {
			numbers = append(numbers, uint32(x32First+i)|x32Bit)
		}
	}
	return numbers, true
}

// narrow makes of 64-bit values that stand for negative ones what a call of 32
// bits has in their place.
func (a *abi) narrow(args []argument) []argument {
	if !a.narrow32 {
		return args
	}
	out := make([]argument, len(args))
	for i, x := range args {
		if x.Op == maskedEqual {
			x.Value &= 0xffffffff
		}
		for _, v := range []*uint64{&x.Value, &x.ValueTwo} {
			if *v>>32 == 0xffffffff {
				*v &= 0xffffffff
			}
		}
		out[i] = x
	}
	return out
}

// multiplexer is the call of 386 that does also what another does, and the number
// that it knows it by.
func (a *abi) multiplexer(name string) (by string, number uint64, ok bool) {
	if a != i386 {
		return "", 0, false
	}
	for i, n := range socketcalls {
		if n == name {
			return "socketcall", uint64(i + 1), true
		}
	}
	number, ok = ipcs[name]
	return "ipc", number, ok
}

var (
	socketcalls = strings.Fields(`socket bind connect listen accept getsockname getpeername socketpair send recv sendto
		recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg`)
	ipcs = map[string]uint64{
		"semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13, "msgctl": 14,
		"shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
	}
)
