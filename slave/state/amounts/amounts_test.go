package amounts

import (
	"math"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

var inf = math.Inf(1)

// task has limits as name, value, name, value.
func task(text string, limits ...any) *mesos.TaskInfo {
	t := &mesos.TaskInfo{Resources: of(text), Limits: map[string]*mesos.Value_Scalar{}}
	for i := 0; i < len(limits); i += 2 {
		t.Limits[limits[i].(string)] = &mesos.Value_Scalar{Value: proto.Float64(limits[i+1].(float64))}
	}
	return t
}

func of(text string) []*mesos.Resource {
	if text == "" {
		return nil
	}
	return resources.MustParse(text).Allocate("r").Proto()
}

func TestOf(t *testing.T) {
	lent := task("cpus:2;mem:10")
	lent.Resources[0].Revocable = &mesos.Resource_RevocableInfo{}
	volume := task("cpus:1;mem:10;disk:100")
	volume.Resources = append(volume.Resources, &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(7)},
		Reservations: []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("r")}},
		Disk: &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		},
	})
	for _, c := range []struct {
		name  string
		own   string
		tasks []*mesos.TaskInfo
		quota bool
		want  *cluster.ContainerAmounts
	}{
		{"nothing", "", nil, false, amounts(0, 0, 0)},
		{"one task", "", []*mesos.TaskInfo{task("cpus:1;mem:400;disk:5;ports:[1-2]")}, false, amounts(1, 400, 5)},
		{"an executor with two", "cpus:0.1;mem:32", []*mesos.TaskInfo{task("cpus:1;mem:64"), task("cpus:0.7;mem:1;disk:3")}, false, amounts(1.8, 97, 3)},
		{"requests are no declared limits", "cpus:1", []*mesos.TaskInfo{task("cpus:1;mem:64")}, true, amounts(2, 64, 0)},
		{"lent", "cpus:1", []*mesos.TaskInfo{lent}, false, with(amounts(3, 10, 0), func(a *cluster.ContainerAmounts) { a.Revocable = proto.Bool(true) })},
		{"a volume is not of the sandbox", "", []*mesos.TaskInfo{volume}, false, amounts(1, 10, 100)},
		{"GPUs", "gpus:1", []*mesos.TaskInfo{task("cpus:1;gpus:2")}, false, with(amounts(1, 0, 0), func(a *cluster.ContainerAmounts) { a.Gpus = proto.Int32(3) })},
		{
			"a memory limit counts with the requests of the rest", "cpus:0.1;mem:32",
			[]*mesos.TaskInfo{task("cpus:1;mem:64", "mem", 128.0), task("cpus:1;mem:10")},
			false,
			limits(amounts(2.1, 106, 0), nil, 170.0),
		},
		{"infinity is contagious", "mem:32", []*mesos.TaskInfo{task("mem:64", "mem", inf), task("mem:10")}, false, limits(amounts(0, 106, 0), nil, inf)},
		{"all have CPU limits", "cpus:0.1", []*mesos.TaskInfo{task("cpus:1", "cpus", 2.0), task("cpus:1", "cpus", 3.5)}, false, limits(amounts(2.1, 0, 0), 5.6, nil)},
		{"a task without one lifts it", "cpus:0.1", []*mesos.TaskInfo{task("cpus:1", "cpus", 2.0), task("cpus:1")}, false, amounts(2.1, 0, 0)},
		{"unless its request is one", "cpus:0.1", []*mesos.TaskInfo{task("cpus:1", "cpus", 2.0), task("cpus:1")}, true, limits(amounts(2.1, 0, 0), 3.1, nil)},
		{"no CPU limit at all", "", []*mesos.TaskInfo{task("cpus:1", "cpus", inf)}, false, limits(amounts(1, 0, 0), inf, nil)},
		{"infinite beside none", "", []*mesos.TaskInfo{task("cpus:1", "cpus", inf), task("cpus:1")}, true, limits(amounts(2, 0, 0), inf, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Of(of(c.own), c.tasks, c.quota); !proto.Equal(got, c.want) {
				t.Errorf("%v; want %v", got, c.want)
			}
		})
	}
}

func amounts(cpus, mem, disk float64) *cluster.ContainerAmounts {
	return &cluster.ContainerAmounts{Cpus: &cpus, Mem: &mem, Disk: &disk}
}

func with(a *cluster.ContainerAmounts, change func(*cluster.ContainerAmounts)) *cluster.ContainerAmounts {
	change(a)
	return a
}

// limits are nil or a number.
func limits(a *cluster.ContainerAmounts, cpus, mem any) *cluster.ContainerAmounts {
	if cpus != nil {
		a.CpusLimit = proto.Float64(cpus.(float64))
	}
	if mem != nil {
		a.MemLimit = proto.Float64(mem.(float64))
	}
	return a
}

// TestLimits: a limit is never below what is requested; it neither depends on the
// order of tasks nor on the requests of those that declare one; and without one
// declared there is none.
func TestLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) float64 { return float64(rapid.IntRange(1, 100_000).Draw(t, name)) / 1000 }
		own := of("cpus:0.25;mem:32")
		var tasks []*mesos.TaskInfo
		declared, infinite := map[string]int{}, map[string]bool{}
		for range rapid.IntRange(1, 5).Draw(t, "tasks") {
			info := &mesos.TaskInfo{Limits: map[string]*mesos.Value_Scalar{}}
			for _, name := range []string{resources.CPUs, resources.Mem} {
				request := draw(name)
				info.Resources = append(info.Resources, &mesos.Resource{
					Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &request},
				})
				switch rapid.IntRange(0, 2).Draw(t, "limit of "+name) {
				case 0:
					info.Limits[name] = &mesos.Value_Scalar{Value: proto.Float64(request + draw("more"))}
					declared[name]++
				case 1:
					info.Limits[name] = &mesos.Value_Scalar{Value: proto.Float64(inf)}
					declared[name]++
					infinite[name] = true
				}
			}
			tasks = append(tasks, info)
		}
		quota := rapid.Bool().Draw(t, "quota")
		a := Of(own, tasks, quota)
		if !proto.Equal(a, Of(own, rapid.Permutation(tasks).Draw(t, "order"), quota)) {
			t.Fatal("the order of tasks counts")
		}
		check := func(name string, limit *float64, request float64, dropped bool) {
			switch {
			case declared[name] == 0 || dropped:
				if limit != nil {
					t.Fatalf("%s: limit %v; want none", name, *limit)
				}
			case limit == nil:
				t.Fatalf("%s: no limit", name)
			case infinite[name] != math.IsInf(*limit, 1):
				t.Fatalf("%s: limit %v, infinite is declared: %v", name, *limit, infinite[name])
			case *limit < request:
				t.Fatalf("%s: limit %v is below the request, %v", name, *limit, request)
			}
		}
		check(resources.Mem, a.MemLimit, a.GetMem(), false)
		check(resources.CPUs, a.CpusLimit, a.GetCpus(), !quota && !infinite[resources.CPUs] && declared[resources.CPUs] < len(tasks))
	})
}
