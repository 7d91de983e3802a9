package ipc

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

func info(mode mesos.LinuxInfo_IpcMode, shm *uint32) *mesos.ContainerInfo {
	return &mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{IpcMode: mode.Enum(), ShmSize: shm}}
}

func prepare(t *testing.T, o Options, c *isolator.Container) (plan.Plan, error) {
	t.Helper()
	i, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if i.Name() != "namespaces/ipc" {
		t.Errorf("it is called %q", i.Name())
	}
	var p plan.Plan
	err = i.Prepare(context.Background(), c, &p)
	return p, err
}

func TestModes(t *testing.T) {
	parent := &isolator.Container{}
	for name, c := range map[string]struct {
		info   *mesos.ContainerInfo
		parent *isolator.Container
		o      Options
		new    plan.Namespaces
		shm    string // the data of its mount
		err    string
	}{
		"nothing said":            {new: plan.NewIPC},
		"nothing said, nested":    {parent: parent},
		"private":                 {info: info(mesos.LinuxInfo_PRIVATE, nil), new: plan.NewIPC | plan.NewMount, shm: "mode=1777"},
		"private, with a size":    {info: info(mesos.LinuxInfo_PRIVATE, proto.Uint32(2)), o: Options{ShmSize: 5}, new: plan.NewIPC | plan.NewMount, shm: "mode=1777,size=2097152"},
		"private, of the default": {info: info(mesos.LinuxInfo_PRIVATE, nil), o: Options{ShmSize: 4096}, parent: parent, new: plan.NewIPC | plan.NewMount, shm: "mode=1777,size=4096"},
		"shared":                  {info: info(mesos.LinuxInfo_SHARE_PARENT, nil)},
		"shared with a parent":    {info: info(mesos.LinuxInfo_SHARE_PARENT, nil), parent: parent, o: Options{DisallowSharing: true}},
		"sharing is refused":      {info: info(mesos.LinuxInfo_SHARE_PARENT, nil), o: Options{DisallowSharing: true}, err: "ipc_mode"},
		"a size, and shared":      {info: info(mesos.LinuxInfo_SHARE_PARENT, proto.Uint32(1)), err: "shm_size"},
		"a size, and no mode":     {info: &mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{ShmSize: proto.Uint32(1)}}, err: "shm_size"},
	} {
		p, err := prepare(t, c.o, &isolator.Container{Info: c.info, Parent: c.parent})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		shm := ""
		if len(p.Mounts) == 1 && p.Mounts[0].Target == "/dev/shm" {
			shm = p.Mounts[0].Data
		}
		if err != nil || p.New != c.new || shm != c.shm {
			t.Errorf("%s: namespaces %b, /dev/shm %q, %v", name, p.New, shm, err)
		}
	}
}

// TestSharedMemoryIsOwn in a namespace, of System V and of POSIX, and is the
// machine's without one.
func TestSharedMemoryIsOwn(t *testing.T) {
	const ask = "ipcmk -Q >/dev/null; ipcs -q | grep -c 0x; touch /dev/shm/ours-$$; ls /dev/shm | wc -l; df --output=size /dev/shm | tail -1; (head -c 2000000 /dev/zero >/dev/shm/large) 2>/dev/null || echo full"
	p, err := prepare(t, Options{}, &isolator.Container{Info: info(mesos.LinuxInfo_PRIVATE, proto.Uint32(1))})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second does not see what the first has made
		if got := strings.Fields(isolatortest.Shell(t, &p, 0, ask).Stdout); strings.Join(got, " ") != "1 1 1024 full" {
			t.Errorf("a private one has %q", got)
		}
	}
	const without = "id=$(ipcmk -Q | tr -dc 0-9); echo $id; ipcs -q | grep -c \" $id \""
	id, _, _ := strings.Cut(isolatortest.Shell(t, &plan.Plan{}, 0, without).Stdout, "\n")
	if got := isolatortest.Shell(t, &plan.Plan{}, 0, "ipcs -q | grep -c ' "+id+" '; ipcrm -q "+id).Stdout; got != "1\n" {
		t.Errorf("the machine's queue is seen %q times", got)
	}
}
