package plan

// Program is what an init is told: what to start, and how. Files are given as
// numbers of the init's own, which it was started with.
type Program struct {
	Plan Plan
	// Path is the program: absolute, relative to Dir if it has a slash, else looked
	// up in the PATH of Env, all as seen in the container. Empty starts none: the
	// init then only holds the container's namespaces until it is told to end.
	Path string
	// Args is the whole argument vector.
	Args []string
	// Env is the whole environment, as NAME=value.
	Env []string
	// Sandbox is the program's folder as the machine sees it. It becomes the working
	// directory, or Plan.Dir does if that is set.
	Sandbox string
	// Switch gives the program the user and the groups below.
	Switch   bool
	UID, GID uint32
	Groups   []uint32
	// Terminal: standard input is one, and becomes that of the program's session.
	Terminal bool
	// Enter are the namespaces of the process Target that are entered before those
	// of Plan.New are made; NewPID is not among them, as the init is born there.
	Enter  Namespaces
	Target int
	// Streams are standard input, output and error.
	Streams [3]int
	// Status is the file that gets the program's wait status; -1 if none.
	Status int
	// Logs are the folders of the files that standard output and error are, and
	// LogNames what these are called there, where Plan.Logs bounds them; -1 where a
	// stream is no such file.
	Logs     [2]int
	LogNames [2]string
}

// Step is what an init was doing when a launch failed.
type Step byte

// The steps of a launch, in their order.
const (
	StepPlan Step = iota + 1
	StepCgroup
	StepEnter
	StepNamespace
	StepMount
	StepDevice
	StepRoot
	StepHostname
	StepLookup
	StepLogs
	StepScore
	StepFork
	StepSession
	StepTerminal
	StepRlimit
	StepBounding
	StepUser
	StepCapabilities
	StepPrivileges
	StepSeccomp
	StepDir
	StepParent
	StepExec
)

var steps = [...]string{
	StepPlan: "reading the plan", StepCgroup: "entering the cgroup", StepEnter: "entering the container's namespaces",
	StepNamespace: "making namespaces", StepMount: "mounting", StepDevice: "making the device",
	StepRoot: "changing the root folder to", StepHostname: "setting the host name", StepLookup: "looking for the program",
	StepLogs: "bounding the log", StepScore: "setting the OOM score", StepFork: "forking", StepSession: "making a session",
	StepTerminal: "taking the terminal", StepRlimit: "setting the resource limit", StepBounding: "bounding capabilities",
	StepUser: "switching the user", StepCapabilities: "setting capabilities", StepPrivileges: "setting no_new_privs",
	StepSeccomp: "setting the seccomp filter", StepDir: "entering the folder", StepParent: "staying with the init",
	StepExec: "launching",
}

// String says what was being done, for an error to begin with.
func (s Step) String() string {
	if int(s) < len(steps) && steps[s] != "" {
		return steps[s]
	}
	return "taking an unknown step"
}

// Kind is what a Report tells.
type Kind byte

// The kinds of reports.
const (
	// Started: the program runs, and a pidfd of it comes along; or the namespaces are
	// held.
	Started Kind = 'S'
	// Failed: nothing was started.
	Failed Kind = 'F'
	// Exited: the program has ended, which is durable.
	Exited Kind = 'X'
	// Moved: another init goes on, in a pid namespace of its own, of which a pidfd
	// comes along; this one ends.
	Moved Kind = 'M'
)

// Report is what an init tells its launcher, each in one message.
type Report struct {
	Kind Kind
	// Step, Errno and Subject are of Failed: what was being done, what the kernel
	// said (0 if nothing), and to what.
	Step    Step
	Errno   uint32
	Subject string
	// Status is of Exited, as wait(2) gave it. Left: processes that the program has
	// abandoned live on.
	Status uint32
	Left   bool
}

// Orders to an init, each one byte.
const (
	// OrderKill ends everything in the pid namespace whose first process the init
	// is, but for the init itself.
	OrderKill byte = 'K'
	// OrderLeave ends an init that holds namespaces.
	OrderLeave byte = 'L'
)
