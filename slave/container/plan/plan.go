// Package plan says how a container's program is to be started: what
// isolators want, as data that crosses to the init of the container. It
// imports next to nothing, as that init is to be small. Imported by isolators,
// launchers and the init, which are all below slave/container.
package plan

// Namespaces is a set of kinds of namespaces; see namespaces(7).
type Namespaces uint8

// The kinds of namespaces.
const (
	NewPID Namespaces = 1 << iota
	NewMount
	NewIPC
	NewUTS
	NewCgroup
	NewNetwork
)

// Plan is what isolators want of a launch. The zero value wants nothing: the
// program is a plain child process.
type Plan struct {
	// Env is added to the environment of every program, as NAME=value.
	Env []string
	// New are the namespaces that the container has for itself.
	New Namespaces
	// Mounts are made in this order in a mount namespace of the container's own,
	// before Root is entered. They need NewMount in New.
	Mounts []Mount
	// Hostname is that of the UTS namespace in New; empty leaves the machine's.
	Hostname string
	// Root becomes the root folder; empty leaves that of the machine.
	Root string
	// Dir is the sandbox as programs see it; empty means where it is on the
	// machine.
	Dir string
	// Cgroups are the folders whose cgroup.procs takes every program of the
	// container before it begins.
	Cgroups []string
	// Kill is the folder of the cgroup by which nothing of the container escapes
	// its end: one of the freezer's (v1), or one with cgroup.kill (v2). Empty
	// without one.
	Kill string
	// Devices are made in /dev of the container, which has a mount namespace then.
	Devices []Device
	// Rlimits are set for every program.
	Rlimits []Rlimit
	// Capabilities; nil leaves what the program's user has.
	Capabilities *Capabilities
	// NoNewPrivileges, as PR_SET_NO_NEW_PRIVS.
	NoNewPrivileges bool
	// Seccomp is a classic BPF program over struct seccomp_data; empty without
	// one. It is set last.
	Seccomp []Instruction
	// OOMScore is for oom_score_adj, -1000 to 1000; nil leaves it.
	OOMScore *int
	// Logs bounds what is kept of the output; nil keeps all, in plain files.
	Logs *Logs
}

// Plain says that the plan asks for nothing that takes an init: its Env alone
// may be set.
func (p *Plan) Plain() bool {
	return p.New == 0 && len(p.Mounts) == 0 && p.Hostname == "" && p.Root == "" && len(p.Cgroups) == 0 && p.Kill == "" &&
		len(p.Devices) == 0 && len(p.Rlimits) == 0 && p.Capabilities == nil && !p.NoNewPrivileges &&
		len(p.Seccomp) == 0 && p.OOMScore == nil && p.Logs == nil
}

// Mount is a mount(2), with the target made if need be.
type Mount struct {
	Source, Target, Type string
	// Flags are those of mount(2), such as MS_BIND|MS_REC. A bind mount that is to
	// be read-only is remounted so. With MS_SHARED, what is mounted below it in the
	// container appears on the machine too, and so its source must be taken before
	// the container's other mounts are made slaves of the machine's.
	Flags uint64
	// SourceBelow and TargetBelow are folders that Source and Target begin with, and
	// below which no symbolic link is followed, as somebody may have put it there who
	// is not trusted. Empty trusts the whole path. What is missing of Target is made
	// below TargetBelow, or below Root; elsewhere it must exist.
	SourceBelow, TargetBelow string
	// Data is the file system's own, as "size=64m".
	Data string
	// File: the target is a file, not a folder.
	File bool
	// Content makes the target a file in a tmpfs of its own, which no other mount
	// namespace has, and no disk. Source, Type and Data are empty then, and of Flags
	// only MS_RDONLY counts; nil otherwise.
	Content *Content
}

// Content is a file that is written as it is mounted.
type Content struct {
	// Data is never to be shown: it is mostly a secret.
	Data []byte
	// Mode has the permissions alone.
	Mode     uint32
	UID, GID uint32
}

// Device is a node in the container's /dev.
type Device struct {
	// Path is absolute.
	Path string
	// Mode has the type (S_IFCHR or S_IFBLK) and the permissions.
	Mode         uint32
	Major, Minor uint32
}

// Rlimit is a setrlimit(2).
type Rlimit struct {
	// Resource is the kernel's number, as RLIMIT_NOFILE.
	Resource   int
	Soft, Hard uint64
}

// Capabilities are sets of capabilities, bit by number; see capabilities(7).
type Capabilities struct {
	// Effective are permitted, effective, and kept over exec (inheritable and
	// ambient) for every user; the bounding set limits what set-uid programs can
	// get. All of Effective are in Bounding. A program of root has no more than
	// Effective either, for which the init forbids root to regain any by exec where
	// they differ (SECBIT_NOROOT).
	Effective, Bounding uint64
	// BoundingOnly leaves Effective unset: programs of root begin with what is in
	// Bounding, those of others with none.
	BoundingOnly bool
}

// Instruction is one of classic BPF, as struct sock_filter.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Logs is how a rotation of stdout and stderr is done: a file that has grown to
// its size becomes NAME.1, and so on up to NAME.Keep.
type Logs struct {
	// In bytes; 0 does not bound that file.
	StdoutSize, StderrSize uint64
	// How many older files are kept of each.
	Keep int
}
