package app

// Container types.
const (
	Docker = "DOCKER"
	Mesos  = "MESOS"
)

// Container that an instance runs in.
type Container struct {
	Type     string
	Image    *Image // nil: the agent's own files
	Volumes  []Volume
	Mappings []Mapping
	Linux    *Linux
}

// Image of a container.
type Image struct {
	Name       string
	ForcePull  bool
	Privileged bool        // Docker only
	Parameters []Parameter // of docker run; Docker only
	PullSecret string      // called so in Process.Secrets; Mesos only
}

// Parameter of docker run: --Key=Value.
type Parameter struct {
	Key, Value string
}

// Volume modes.
const (
	ReadWrite = "RW"
	ReadOnly  = "RO"
)

// Volume that a container sees at Path. At most one of Host, Persistent, External
// and Secret is set.
type Volume struct {
	Path       string // in the container
	Mode       string // "" of a secret
	Host       string // a path of the agent's
	Persistent *Persistent
	External   *External
	Secret     string // called so in Process.Secrets
}

// Disk types of persistent volumes.
const (
	DiskRoot  = "root"
	DiskPath  = "path"
	DiskMount = "mount"
)

// Persistent is a volume that outlives the task, on one agent.
type Persistent struct {
	Type        string // DiskRoot, DiskPath or DiskMount
	Size        int64  // MiB
	MaxSize     int64  // MiB; 0 is none; of mounts only
	Profile     string
	Constraints []Constraint // on the disk's path
}

// External is a volume of some storage provider.
type External struct {
	Size     int64 // GiB; 0 is none
	Name     string
	Provider string
	Options  map[string]string
	Shared   bool
}

// Mapping of a port of the container.
type Mapping struct {
	ContainerPort int  // 0: the number of the host port
	HostPort      *int // 0: any; nil: the port is reached at the container's own address
	ServicePort   int  // 0 until one is assigned
	Protocol      string
	Name          string
	Labels        map[string]string
	Networks      []string // on which of the app's networks; empty: all
}

// Linux are settings of the kernel for a container.
type Linux struct {
	Seccomp *Seccomp
	IPC     *IPC
}

// Seccomp says which system calls a container may make.
type Seccomp struct {
	Profile    string
	Unconfined bool
}

// IPC is what a container shares of System V IPC and shared memory.
type IPC struct {
	Mode    string // PRIVATE or SHARE_PARENT
	ShmSize int64  // MiB; 0 is the default
}
