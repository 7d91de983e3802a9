package vm

import (
	"fmt"
	"runtime"
)

// arch is how machines of an architecture are made.
type arch struct {
	// libraries is the name of Debian's folders for them.
	name, qemu, libraries string
	// machine are arguments of qemu. The kernel's console is the first -serial, and
	// chardev out is ttyS1.
	machine []string
	// arguments are the kernel's.
	arguments []string
}

var archs = map[string]*arch{
	"amd64": {
		name: "amd64", qemu: "qemu-system-x86_64", libraries: "x86_64-linux-gnu",
		machine:   []string{"-cpu", "max", "-device", "isa-serial,index=1,chardev=out"},
		arguments: []string{"console=ttyS0", "tsc=reliable", "no_timer_check"},
	},
	"arm64": {
		name: "arm64", qemu: "qemu-system-aarch64", libraries: "aarch64-linux-gnu",
		// Pointer authentication as Arm wants it takes three times as long as all else.
		machine: []string{
			"-machine", "virt", "-cpu", "max,pauth-impdef=on",
			"-chardev", "null,id=first", "-device", "pci-serial,chardev=first", "-device", "pci-serial,chardev=out",
		},
		arguments: []string{"console=ttyAMA0"},
	},
}

func architecture(name string) (*arch, error) {
	name = or(name, runtime.GOARCH)
	if a := archs[name]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("vm: there are no machines of architecture %s", name)
}

func (a *arch) native() bool { return a.name == runtime.GOARCH }
