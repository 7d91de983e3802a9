package rlimits

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

func limit(kind mesos.RLimitInfo_RLimit_Type, values ...uint64) *mesos.RLimitInfo_RLimit {
	r := &mesos.RLimitInfo_RLimit{Type: kind.Enum()}
	if len(values) > 0 {
		r.Soft = proto.Uint64(values[0])
	}
	if len(values) > 1 {
		r.Hard = proto.Uint64(values[1])
	}
	return r
}

func prepare(i *Isolator, limits ...*mesos.RLimitInfo_RLimit) (*plan.Plan, error) {
	p := &plan.Plan{}
	c := &isolator.Container{Info: &mesos.ContainerInfo{RlimitInfo: &mesos.RLimitInfo{Rlimits: limits}}}
	return p, i.Prepare(context.Background(), c, p)
}

func own(hard uint64, mayRaise bool) *Isolator {
	return &Isolator{hard: func(int) (uint64, error) { return hard, nil }, mayRaise: mayRaise, files: 1000}
}

func TestPrepare(t *testing.T) {
	const nofile = mesos.RLimitInfo_RLimit_RLMT_NOFILE
	for name, c := range map[string]struct {
		i      *Isolator
		limits []*mesos.RLimitInfo_RLimit
		want   []plan.Rlimit
		fails  []string
	}{
		"none":             {i: own(100, false)},
		"lower":            {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 10, 20)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 10, Hard: 20}}},
		"as high":          {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 100, 100)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 100, Hard: 100}}},
		"zero":             {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 0, 0)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE}}},
		"two":              {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 1, 1), limit(mesos.RLimitInfo_RLimit_RLMT_CORE, 0, 0)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 1, Hard: 1}, {Resource: unix.RLIMIT_CORE}}},
		"none may be set":  {i: own(infinity, false), limits: []*mesos.RLimitInfo_RLimit{limit(mesos.RLimitInfo_RLimit_RLMT_CORE)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_CORE, Soft: infinity, Hard: infinity}}},
		"nobody's":         {i: own(infinity, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile)}, fails: []string{"rlimits[0].hard", "unlimited", "RLMT_NOFILE", "1000", "fs.nr_open"}},
		"all there is":     {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 1, 1000)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 1, Hard: 1000}}},
		"raised":           {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 10, 200)}, want: []plan.Rlimit{{Resource: unix.RLIMIT_NOFILE, Soft: 10, Hard: 200}}},
		"above":            {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 10, 101)}, fails: []string{"container.rlimit_info.rlimits[0].hard", "101", "RLMT_NOFILE", "100", "SYS_RESOURCE"}},
		"unlimited, above": {i: own(100, false), limits: []*mesos.RLimitInfo_RLimit{limit(mesos.RLimitInfo_RLimit_RLMT_CORE)}, fails: []string{"rlimits[0].hard", "unlimited", "RLMT_CORE", "100", "SYS_RESOURCE"}},
		"soft above hard":  {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 20, 10)}, fails: []string{"rlimits[0].soft", "20", "10"}},
		"soft alone":       {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 20)}, fails: []string{"rlimits[0]", "RLMT_NOFILE", "both"}},
		"unknown":          {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(0)}, fails: []string{"rlimits[0].type", "UNKNOWN"}},
		"from the future":  {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(99)}, fails: []string{"rlimits[0].type", "99"}},
		"twice":            {i: own(100, true), limits: []*mesos.RLimitInfo_RLimit{limit(nofile, 1, 1), limit(nofile, 2, 2)}, fails: []string{"rlimits[1].type", "more than once"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := prepare(c.i, c.limits...)
			if (err != nil) != (c.fails != nil) {
				t.Fatalf("error %v, want one with %q", err, c.fails)
			}
			for _, word := range c.fails {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if !slices.Equal(p.Rlimits, c.want) {
				t.Errorf("planned %+v, want %+v", p.Rlimits, c.want)
			}
		})
	}
}

// Every limit of the protocol is one of the kernel's.
func TestEveryTypeIsKnown(t *testing.T) {
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for number := range mesos.RLimitInfo_RLimit_Type_name {
		kind := mesos.RLimitInfo_RLimit_Type(number)
		_, err := prepare(i, limit(kind, 0, 0))
		if (err == nil) != (kind != mesos.RLimitInfo_RLimit_UNKNOWN) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestKernelGivesNobodyMore: what is refused is what the kernel would refuse.
func TestKernelGivesNobodyMore(t *testing.T) {
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	was := unix.Rlimit{}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: was.Cur, Max: i.files + 1}, nil); err == nil {
		t.Errorf("%d open files can be had", i.files+1)
	}
	if _, err := prepare(i, limit(mesos.RLimitInfo_RLimit_RLMT_NOFILE)); err == nil || !strings.Contains(err.Error(), "fs.nr_open") {
		t.Errorf("error is %v", err)
	}
}

func TestProgramsAreHeldToTheirLimits(t *testing.T) {
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	p, err := prepare(i, limit(mesos.RLimitInfo_RLimit_RLMT_NOFILE, 20, 30), limit(mesos.RLimitInfo_RLimit_RLMT_FSIZE, 4096, 8192))
	if err != nil {
		t.Fatal(err)
	}
	show := "ulimit -Sn; ulimit -Hn; " // in the shell's blocks of 512 bytes: ulimit -f
	if r := isolatortest.Shell(t, p, 0, show+"ulimit -Sf; ulimit -Hf"); r.Stdout != "20\n30\n8\n16\n" {
		t.Errorf("limits are %q, %q", r.Stdout, r.Stderr)
	}
	file := t.TempDir() + "/file"
	fill := "head -c 10000 /dev/zero > " + file + "; stat -c %s " + file
	if r := isolatortest.Shell(t, p, 0, fill); r.Stdout != "4096\n" {
		t.Errorf("with the limit the file grows to %q, %q", r.Stdout, r.Stderr)
	}
	if r := isolatortest.Shell(t, &plan.Plan{}, 0, fill); r.Stdout != "10000\n" {
		t.Errorf("without it the file grows to %q, %q", r.Stdout, r.Stderr)
	}
}
