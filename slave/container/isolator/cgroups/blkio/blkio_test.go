package blkio

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/tools/cgrouptest"
)

// What a program writes past the page cache is counted, by device.
func TestUsage(t *testing.T) {
	i, err := New(cgrouptest.Tree(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{ID: []string{"writer"}}
	p := cgrouptest.Prepare(t, c, i)
	if out, err := cgrouptest.Start(t, p, "write", onDisk(t)+"/file", "8").Wait(t); err != nil {
		t.Fatal(err, out)
	}
	var u mesos.ResourceStatistics
	if err := i.Usage(c, &u); err != nil {
		t.Fatal(err)
	}
	written, total := uint64(0), uint64(0)
	for _, s := range u.GetBlkioStatistics().GetThrottling() {
		for _, v := range s.GetIoServiceBytes() {
			switch {
			case s.Device == nil:
				total += v.GetValue()
			case v.GetOp() == mesos.CgroupInfo_Blkio_WRITE:
				written += v.GetValue()
			}
		}
	}
	if written < 8<<20 || total < written {
		t.Errorf("%d written, %d in all: %v", written, total, &u)
	}
	var none mesos.ResourceStatistics
	if err := i.Usage(&isolator.Container{ID: []string{"unknown"}}, &none); err != nil || none.BlkioStatistics != nil {
		t.Errorf("%v, %v", err, &none)
	}
}

// onDisk is a folder on a block device: the test's own, or, in a machine with
// memory only, one on a loop device.
func onDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if !cgrouptest.InMemory(t, dir) {
		return dir
	}
	image, at := dir+"/image", dir+"/disk"
	if err := os.WriteFile(image, make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mke2fs", "-F", image}, {"mount", "-o", "loop", "-t", "ext2", image, at}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return at
}

func TestCountsLimited(t *testing.T) {
	for release, want := range map[string]bool{
		"6.18.5": false, "6.5-rc1": false, "6.4.12-arch": true, "6.1.0-56-cloud-amd64": true, "5.16.0": true, "5.15.0-100-generic": false, "4.19": false, "none": true,
	} {
		if got := countsLimited(release); got != want {
			t.Errorf("%s: %v", release, got)
		}
	}
}

func TestParse(t *testing.T) {
	var s mesos.CgroupInfo_Blkio_Statistics
	for _, c := range counters {
		for _, k := range []kind{throttling, own, recursive} {
			if k == throttling && !c.throttled {
				continue
			}
			text := "8:0 Read 5\n8:0 Other 6\n8:0 Total 5\nTotal 5\n"
			if c.single != nil {
				text = "8:0 7\n"
			}
			add := c.adder(k)
			if err := parse1([]byte(text), func(l line) { add(&s, l) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(s.Throttling) != 2 || len(s.Cfq) != 2 || len(s.CfqRecursive) != 2 || s.Cfq[0].GetSectors() != 7 || s.Cfq[0].GetTime() != 7 ||
		len(s.Cfq[0].IoQueued) != 2 || s.Cfq[0].IoQueued[0].GetOp() != mesos.CgroupInfo_Blkio_READ || s.Cfq[1].Device != nil {
		t.Error(prototext.Format(&s))
	}
	s.Reset()
	if err := parse2([]byte("8:16 rbytes=10 wbytes=3 rios=2 wios=1 dbytes=0 dios=0 cost.usage=9\n254:1 wbytes=4 wios=1\n"), &s); err != nil {
		t.Fatal(err)
	}
	last := s.Throttling[2]
	if len(s.Throttling) != 3 || s.Throttling[0].GetDevice().GetMinorNumber() != 16 || last.Device != nil || last.IoServiceBytes[0].GetValue() != 17 || last.IoServiced[0].GetValue() != 4 {
		t.Error(prototext.Format(&s))
	}
	for text, want := range map[string]string{"8:x Read 1": "no device", "8:0 Read": "no number", "8:0": "no value", "8:0 Read x": "no number"} {
		if err := parse1([]byte(text), func(line) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"8 rbytes=1": "no device", "8:0 rbytes=x": "no number", "8:0 rbytes": "no number"} {
		if err := parse2([]byte(text), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestScheduled(t *testing.T) {
	dir := t.TempDir()
	disk(t, dir+"/vda", "[none] mq-deadline bfq")
	if is, err := scheduled(dir); err != nil || is {
		t.Errorf("%v, %v", is, err)
	}
	disk(t, dir+"/sda", "none [bfq]")
	if is, err := scheduled(dir); err != nil || !is {
		t.Errorf("%v, %v", is, err)
	}
}

func disk(t *testing.T, dir, schedulers string) {
	t.Helper()
	if err := os.MkdirAll(dir+"/queue", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/queue/scheduler", []byte(schedulers+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The files of a scheduler are read only if one counts.
func TestPresent(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"blkio.throttle.io_serviced", "blkio.throttle.io_serviced_recursive", "blkio.bfq.io_serviced", "blkio.time"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if files := present(dir, false); len(files) != 1 || files[0].name != "blkio.throttle.io_serviced_recursive" {
		t.Errorf("%v", files)
	}
	if files := present(dir, true); len(files) != 3 {
		t.Errorf("%v", files)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("8:0 Read 5\n8:0 Total 5\nTotal 5\n"))
	f.Add([]byte("8:16 rbytes=10 wbytes=3 rios=2 wios=1 dbytes=0 dios=0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Count(string(data), "\n") + 1
		seen := 0
		if err := parse1(data, func(line) { seen++ }); err == nil && seen > lines {
			t.Errorf("%d lines in %q", seen, data)
		}
		var s mesos.CgroupInfo_Blkio_Statistics
		if err := parse2(data, &s); err == nil && len(s.Throttling) > lines+1 {
			t.Errorf("%v in %q", &s, data)
		}
	})
}
