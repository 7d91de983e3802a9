package vm

// Groups says which control groups a machine has, and where.
type Groups int

const (
	// Version2 is at /sys/fs/cgroup, with all controllers enabled for groups below
	// the root.
	Version2 Groups = iota
	// Version1 has each controller at /sys/fs/cgroup/CONTROLLER, and no version 2.
	Version1
	// Hybrid is as systemd mounts both: controllers of version 1, of which cpu and
	// cpuacct share a hierarchy and net_cls and net_prio another, with a link by the
	// name of each; and version 2 without controllers at /sys/fs/cgroup/unified.
	Hybrid
	// Together has all controllers of version 1 in one hierarchy at /sys/fs/cgroup/all.
	Together
)

// scripts mount them, and put the programs to come into groups of their own where
// an init system does.
var scripts = map[Groups]string{
	Version2: `mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/init
for p in $(cat /sys/fs/cgroup/cgroup.procs); do echo $p >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null; done
for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done
`,
	Version1: version1 + `for c in $controllers; do hierarchy $c; done
`,
	Hybrid: version1 + `for c in $controllers; do
  case $c in
  cpu | cpuacct) together=cpu,cpuacct ;;
  net_cls | net_prio) together=net_cls,net_prio ;;
  *) hierarchy $c; continue ;;
  esac
  [ -d $together ] || hierarchy $together
  ln -s $together $c
done
mkdir systemd unified
mount -t cgroup -o none,name=systemd cgroup systemd
mount -t cgroup2 cgroup2 unified
`,
	Together: version1 + `mkdir all
mount -t cgroup cgroup all
`,
}

const version1 = `mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
cd /sys/fs/cgroup
controllers=$(while read name hierarchy groups enabled; do [ "$enabled" = 1 ] && echo $name; done </proc/cgroups)
hierarchy() { mkdir $1; mount -t cgroup -o $1 cgroup $1; }
`

// arguments of the kernel.
func (g Groups) arguments() []string {
	if g == Version2 {
		return []string{"cgroup_no_v1=all"}
	}
	return nil
}
