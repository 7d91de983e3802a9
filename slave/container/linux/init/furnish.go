package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// kinds are the kernel's flags for namespaces. A new pid namespace is made by who
// starts the init, and a new cgroup namespace by the program itself, when it is in
// its cgroup.
var kinds = [...]struct {
	kind plan.Namespaces
	flag int
}{
	{plan.NewMount, unix.CLONE_NEWNS},
	{plan.NewIPC, unix.CLONE_NEWIPC},
	{plan.NewUTS, unix.CLONE_NEWUTS},
	{plan.NewNetwork, unix.CLONE_NEWNET},
}

func flagsOf(n plan.Namespaces) int {
	flags := 0
	for _, k := range kinds {
		if n&k.kind != 0 {
			flags |= k.flag
		}
	}
	return flags
}

// furnish makes the place in which the program runs.
func furnish(p *plan.Program) *failure {
	if flags := flagsOf(p.Enter); flags != 0 {
		if flags&unix.CLONE_NEWNS != 0 {
			// The root and working folder must not be shared with other threads.
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return failed(plan.StepEnter, "", err)
			}
		}
		if err := unix.Setns(p.Target, flags); err != nil {
			return failed(plan.StepEnter, "", err)
		}
	}
	if p.Target >= 0 {
		unix.Close(p.Target)
	}
	if flags := flagsOf(p.Plan.New); flags != 0 {
		if err := unix.Unshare(flags); err != nil {
			return failed(plan.StepNamespace, "", err)
		}
	}
	if p.Plan.New&plan.NewMount != 0 {
		if f := mountAll(p); f != nil {
			return f
		}
	}
	for i := range p.Plan.Devices {
		if f := makeDevice(p.Plan.Root, &p.Plan.Devices[i]); f != nil {
			return f
		}
	}
	if p.Plan.Root != "" {
		if f := changeRoot(p.Plan.Root); f != nil {
			return f
		}
	}
	if p.Plan.Hostname != "" {
		return failed(plan.StepHostname, p.Plan.Hostname, unix.Sethostname([]byte(p.Plan.Hostname)))
	}
	return nil
}

// changeRoot leaves no way back to the machine's root.
func changeRoot(root string) *failure {
	for _, do := range []func() error{
		func() error { return unix.Mount(root, root, "", unix.MS_BIND|unix.MS_REC, "") },
		func() error { return unix.Chdir(root) },
		func() error { return unix.PivotRoot(".", ".") },
		func() error { return unix.Unmount(".", unix.MNT_DETACH) },
		func() error { return unix.Chdir("/") },
	} {
		if err := do(); err != nil {
			return failed(plan.StepRoot, root, err)
		}
	}
	return nil
}

// makeDevice makes a node, unless the very same is there.
func makeDevice(root string, d *plan.Device) *failure {
	path := root + d.Path
	parent, name := split(path)
	for i := 1; root == "" && i < len(parent); i++ {
		if parent[i] == '/' {
			_ = unix.Mkdir(parent[:i], 0o755) // walk tells what is wrong
		}
	}
	dir, err := walk(parent, root, true)
	if err != nil {
		return failed(plan.StepDevice, path, err)
	}
	defer unix.Close(dir)
	number := unix.Mkdev(d.Major, d.Minor)
	err = unix.Mknodat(dir, name, d.Mode, int(number))
	if err == nil {
		// The umask may have taken some.
		return failed(plan.StepDevice, path, unix.Fchmodat(dir, name, d.Mode&0o7777, 0))
	}
	var there unix.Stat_t
	if err == unix.EEXIST && unix.Fstatat(dir, name, &there, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		there.Mode&unix.S_IFMT == d.Mode&unix.S_IFMT && there.Rdev == number {
		return nil
	}
	return failed(plan.StepDevice, path, err)
}

// split cuts a path before its last part.
func split(path string) (parent, name string) {
	end := len(path)
	for end > 1 && path[end-1] == '/' {
		end--
	}
	at := end
	for at > 0 && path[at-1] != '/' {
		at--
	}
	parent = path[:at]
	if parent == "" {
		parent = "."
	}
	return parent, path[at:end]
}
