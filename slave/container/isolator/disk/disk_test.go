package disk

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func volume(id string, mb float64) isolator.Volume {
	return isolator.Volume{Source: "/volumes/" + id, Resource: &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(mb)},
		Disk: &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String(id)}},
	}}
}

func TestUses(t *testing.T) {
	c := &isolator.Container{Sandbox: "/s", Amounts: isolator.Amounts{Disk: 5}, Volumes: []isolator.Volume{volume("v", 1.5), volume("v", 1.5)}}
	list := Uses(c)
	if len(list) != 2 || list[0] != (Use{Path: "/s", Limit: 5}) || list[1].Limit != 3<<19 || list[1].Path != "/volumes/v" {
		t.Errorf("uses are %+v", list)
	}
	if in := (&isolator.Container{Parent: c, Sandbox: "/s/in", Volumes: c.Volumes}); len(Uses(in)) != 1 {
		t.Errorf("uses of a nested one are %+v", Uses(in))
	}
	if c.Shared = true; Uses(c)[0].Limit != 0 {
		t.Error("a container within the amounts of its parent has a limit of its own")
	}
}

func TestExceeded(t *testing.T) {
	used := uint64(11 << 20)
	u := Use{Limit: 10 << 20, Used: &used}
	l := u.Exceeded()
	if want := "disk usage 11MB exceeds its quota 10MB"; l.Message != want || l.Reason != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK {
		t.Errorf("limit is %+v", l)
	}
	if r := l.Resources[0]; r.GetName() != "disk" || r.GetScalar().GetValue() != 11 {
		t.Errorf("resource is %v", r)
	}
	u.Resource = volume("v", 10).Resource
	l = u.Exceeded()
	if want := `disk usage of the persistent volume "v" 11MB exceeds its quota 10MB`; l.Message != want {
		t.Errorf("message is %q", l.Message)
	}
	if r := l.Resources[0]; r.GetDisk().GetPersistence().GetId() != "v" || r.GetScalar().GetValue() != 11 || u.Resource.GetScalar().GetValue() != 10 {
		t.Errorf("resource is %v", r)
	}
}

func TestOver(t *testing.T) {
	for _, c := range []struct {
		limit uint64
		used  *uint64
		over  bool
	}{{10, proto.Uint64(11), true}, {10, proto.Uint64(10), false}, {10, nil, false}, {0, proto.Uint64(11), false}} {
		if got := (Use{Limit: c.limit, Used: c.used}).Over(); got != c.over {
			t.Errorf("%+v is over: %v", c, got)
		}
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[uint64]string{
		0: "0B", 1023: "1023B", 1024: "1KB", 1536: "1.5KB", 10 << 20: "10MB", 10<<20 + 4096: "10.004MB", 3 << 40: "3TB", 1<<64 - 1: "16EB",
	} {
		if got := Size(bytes); got != want {
			t.Errorf("%d is %q, want %q", bytes, got, want)
		}
	}
}

func TestStatistics(t *testing.T) {
	u := &mesos.ResourceStatistics{}
	Add([]Use{{Path: "/s", Limit: 5, Used: proto.Uint64(3)}, {Path: "/v", Limit: 9, Resource: volume("v", 1).Resource}}, u)
	if u.GetDiskLimitBytes() != 5 || u.GetDiskUsedBytes() != 3 || len(u.DiskStatistics) != 2 {
		t.Fatalf("statistics are %v", u)
	}
	if s, v := u.DiskStatistics[0], u.DiskStatistics[1]; s.GetUsedBytes() != 3 || s.Persistence != nil || v.GetLimitBytes() != 9 || v.UsedBytes != nil || v.GetPersistence().GetId() != "v" {
		t.Errorf("statistics are %v", u)
	}
	Add(nil, u)
	Add([]Use{{Path: "/unknown"}}, &mesos.ResourceStatistics{})
	if len(u.DiskStatistics) != 2 {
		t.Errorf("statistics are %v", u)
	}
}

func TestRecords(t *testing.T) {
	r := Records{Dir: filepath.Join(t.TempDir(), "disk")}
	if list, err := r.List(); err != nil || list != nil {
		t.Errorf("of nobody: %v, %v", list, err)
	}
	if list, err := r.Read([]string{"a"}); err != nil || list != nil {
		t.Errorf("of nobody: %v, %v", list, err)
	}
	want := []Use{{Path: "/s", Limit: 5, Used: proto.Uint64(3)}, {Path: "/v", Limit: 9, Resource: volume("v", 1).Resource}}
	must(t, r.Write([]string{"a"}, want[:1]))
	must(t, r.Write([]string{"a"}, want))
	must(t, r.Write([]string{"a", "b", "c"}, want[:1]))
	got, err := r.Read([]string{"a"})
	must(t, err)
	if len(got) != 2 || !proto.Equal(got[1].Resource, want[1].Resource) || *got[0].Used != 3 || got[1].Used != nil || got[1].Limit != 9 {
		t.Errorf("read %+v", got)
	}
	ids, err := r.List()
	must(t, err)
	if want := [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}}; !reflect.DeepEqual(ids, want) {
		t.Errorf("there are %v, want %v", ids, want)
	}
	for range 2 {
		must(t, r.Remove([]string{"a"}))
	}
	if ids, err := r.List(); err != nil || len(ids) != 0 {
		t.Errorf("left are %v, %v", ids, err)
	}
}

func TestBadRecords(t *testing.T) {
	r := Records{Dir: t.TempDir()}
	for _, id := range [][]string{nil, {""}, {".."}, {"a/b"}, {"a", "../../x"}} {
		if r.Write(id, nil) == nil || r.Remove(id) == nil {
			t.Errorf("%q was taken", id)
		}
		if _, err := r.Read(id); err == nil {
			t.Errorf("%q was read", id)
		}
	}
	must(t, r.Write([]string{"a"}, nil))
	must(t, os.WriteFile(filepath.Join(r.Dir, "a", record), []byte(`[{"Resource":"////"}]`), 0o644))
	if _, err := r.Read([]string{"a"}); err == nil || !strings.Contains(err.Error(), "read use of disk") {
		t.Errorf("error is %v", err)
	}
}
