package resources

import (
	"math"
	"strings"
	"testing"

	"troupe/messages/mesos"
)

func TestThousandthsAreExact(t *testing.T) {
	sum := Resources{}
	step := MustParse("cpus:0.1")
	for range 10_000 {
		sum = sum.Add(step)
	}
	if want := MustParse("cpus:1000"); !sum.Equal(want) {
		t.Errorf("10,000 times 0.1 is %s", sum)
	}
	if got := MustParse("cpus:0.0004"); !got.IsEmpty() {
		t.Errorf("below half a thousandth is %s", got)
	}
}

func TestMilli(t *testing.T) {
	for amount, want := range map[float64]string{0: "0", 0.001: "0.001", 1.5: "1.5", 24: "24", 0.0015: "0.002", 1e12: "1000000000000", 0.1 + 0.2: "0.3"} {
		m, err := MilliOf(amount)
		if err != nil || m.String() != want {
			t.Errorf("%v is %s, %v; want %s", amount, m, err, want)
		}
	}
	if got := Milli(-1500).String(); got != "-1.5" {
		t.Errorf("-1500 prints %s", got)
	}
	if got := Milli(math.MinInt64).String(); got != "-9223372036854775.808" {
		t.Errorf("the least prints %s", got)
	}
	for _, amount := range []float64{-0.001, math.NaN(), math.Inf(1), math.Inf(-1), 1e13, math.MaxFloat64} {
		if m, err := MilliOf(amount); err == nil {
			t.Errorf("%v is %s", amount, m)
		}
	}
}

func TestSumsSaturate(t *testing.T) {
	huge := MustParse("mem:" + MaxMilli.String())
	sum := huge
	for range 12 {
		sum = sum.Add(sum)
	}
	if got := sum.Scalar(Mem); got != math.MaxInt64 {
		t.Errorf("4,096 of the largest are %d", got)
	}
	if got := Milli(math.MinInt64 + 1).plus(-2); got != math.MinInt64 {
		t.Errorf("the least minus is %d", got)
	}
	if got := Milli(math.MaxInt64 / 2).times(3); got != math.MaxInt64 {
		t.Errorf("thrice half the most is %d", got)
	}
}

func TestPersistentVolumesAreCountedNotMerged(t *testing.T) {
	volume := &mesos.Resource{
		Name: ptr(Disk), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: ptr(64.0)},
		Role: ptr("db"), Disk: &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("v")}},
	}
	r, err := New(volume, volume)
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 1 || len(r.Proto()) != 2 || r.Scalar(Disk) != 128_000 {
		t.Errorf("two volumes are %s, %d messages", r, len(r.Proto()))
	}
	part := MustParse("disk(db):32")
	if r.Contains(part) {
		t.Error("a part of a volume was contained")
	}
	if _, _, ok := r.Take(MustParse("disk:32")); ok {
		t.Error("a volume was taken for plain disk")
	}
}

func TestUseOfAVolumeIsNotItsIdentity(t *testing.T) {
	offered := &mesos.Resource{
		Name: ptr(Disk), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: ptr(64.0)}, Role: ptr("db"),
		Disk: &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("v")}, Volume: &mesos.Volume{ContainerPath: ptr("data"), Mode: mesos.Volume_RW.Enum()}},
	}
	used := &mesos.Resource{
		Name: ptr(Disk), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: ptr(64.0)}, Role: ptr("db"),
		Disk: &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("v")}, Volume: &mesos.Volume{ContainerPath: ptr("elsewhere"), Mode: mesos.Volume_RW.Enum()}},
	}
	a, err := New(offered)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(used)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Contains(b) {
		t.Errorf("%s does not contain %s", a, b)
	}
}

func TestOlderReservationsBecomeStacks(t *testing.T) {
	scalar := &mesos.Value_Scalar{Value: ptr(1.0)}
	for _, c := range []struct {
		name     string
		resource *mesos.Resource
		want     string
	}{
		{"nobody's", &mesos.Resource{Role: ptr("*")}, "cpus:1"},
		{"static", &mesos.Resource{Role: ptr("web")}, "cpus(web):1"},
		{"dynamic", &mesos.Resource{Role: ptr("web"), Reservation: &mesos.Resource_ReservationInfo{Principal: ptr("ops")}}, "cpus(reservations: [(DYNAMIC,web,ops)]):1"},
		{"endpoint", &mesos.Resource{
			Role: ptr("web"), Reservation: &mesos.Resource_ReservationInfo{Principal: ptr("ops")},
			Reservations: []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: ptr("web"), Principal: ptr("ops")}},
		}, "cpus(reservations: [(DYNAMIC,web,ops)]):1"},
	} {
		c.resource.Name, c.resource.Type, c.resource.Scalar = ptr(CPUs), mesos.Value_SCALAR.Enum(), scalar
		r, err := New(c.resource)
		if err != nil || r.String() != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, r, err, c.want)
		}
		for _, m := range r.Proto() {
			if m.Role != nil || m.Reservation != nil {
				t.Errorf("%s: %v still has the older fields", c.name, m)
			}
		}
	}
}

func TestByName(t *testing.T) {
	r := MustParse("cpus:1;cpus(web):2.5;ports:[1-3];ports(web):[3-5];set:{b,a}")
	if r.Scalar(CPUs) != 3500 || r.Scalar(Mem) != 0 {
		t.Errorf("cpus %s, mem %s", r.Scalar(CPUs), r.Scalar(Mem))
	}
	if got := r.Ranges(Ports).String(); got != "[1-5]" {
		t.Errorf("ports %s", got)
	}
	if got := r.Set("set").String(); got != "{a, b}" {
		t.Errorf("set %s", got)
	}
}

func TestTakePrefersReserved(t *testing.T) {
	offer := MustParse("cpus:4;cpus(web):1;mem:512;ports:[31000-31009]").Allocate("web")
	taken, rest, ok := offer.Take(MustParse("cpus:2;mem:128;ports:[31002-31003]"))
	if !ok || taken.Unallocate().String() != "cpus:1; cpus(web):1; mem:128; ports:[31002-31003]" {
		t.Errorf("took %s, %v", taken, ok)
	}
	if rest.Unallocate().String() != "cpus:3; mem:384; ports:[31000-31001, 31004-31009]" {
		t.Errorf("left %s", rest)
	}
	if _, rest, ok := offer.Take(MustParse("cpus:5.001")); ok || !rest.Equal(offer) {
		t.Errorf("more than there is: %v, left %s", ok, rest)
	}
}

func TestSubtractNamesWhatIsMissing(t *testing.T) {
	_, err := MustParse("cpus:1;mem:10").Subtract(MustParse("cpus:0.5;mem:10.001"))
	if err == nil || !strings.Contains(err.Error(), `mem: "mem:10.001": is not contained in cpus:1; mem:10`) {
		t.Errorf("got %v", err)
	}
}

func TestEntries(t *testing.T) {
	mount := disk(func(r *mesos.Resource) {
		r.Reservations = reserved(reservation(static, "a"), reservation(dynamic, "a/b")).Reservations
		r.Disk = &mesos.Resource_DiskInfo{
			Source:      &mesos.Resource_DiskInfo_Source{Type: mesos.Resource_DiskInfo_Source_MOUNT.Enum(), Id: ptr("d1"), Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: ptr("/mnt")}},
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("v")},
			Volume:      &mesos.Volume{ContainerPath: ptr("data"), Mode: mesos.Volume_RW.Enum()},
		}
		r.Shared = &mesos.Resource_SharedInfo{}
		r.ProviderId = &mesos.ResourceProviderID{Value: ptr("p")}
	})
	spare := cpus(0.5)
	spare.Revocable = &mesos.Resource_RevocableInfo{}
	r, err := New(mount, spare, mount)
	if err != nil {
		t.Fatal(err)
	}
	r = r.Add(MustParse("set:{a,b};ports:[1-2]")).Allocate("a/b")
	want := "cpus(allocated: a/b){REV}:0.5; " +
		"disk(allocated: a/b)(reservations: [(STATIC,a),(DYNAMIC,a/b)])[MOUNT(d1):/mnt,v,data]<SHARED>:1 ×2; " +
		"ports(allocated: a/b):[1-2]; set(allocated: a/b):{a, b}"
	if r.String() != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
	for e := range r.All() {
		if e.AllocatedTo() != "a/b" || e.Shared() != (e.Name() == Disk) || e.Revocable() != (e.Name() == CPUs) {
			t.Errorf("%s is given to %q, shared %v, revocable %v", e, e.AllocatedTo(), e.Shared(), e.Revocable())
		}
		switch e.Name() {
		case CPUs:
			if e.Amount() != 500 || e.Role() != "*" || e.Copies() != 1 || e.Disk() != nil {
				t.Errorf("%s: amount %s, role %s, copies %d", e, e.Amount(), e.Role(), e.Copies())
			}
		case Disk:
			if e.Copies() != 2 || e.Role() != "a/b" || len(e.Reservations()) != 2 || e.Disk().GetPersistence().GetId() != "v" {
				t.Errorf("%s: copies %d, role %s", e, e.Copies(), e.Role())
			}
		case Ports:
			if e.Kind() != mesos.Value_RANGES || e.Ranges().Count() != 2 || e.Set() != nil {
				t.Errorf("%s: kind %s", e, e.Kind())
			}
		default:
			if e.Kind() != mesos.Value_SET || !e.Set().Has("b") {
				t.Errorf("%s: kind %s", e, e.Kind())
			}
		}
	}
	if r.Scalar(Disk) != 1000 {
		t.Errorf("two copies of a shared disk of 1 count as %s", r.Scalar(Disk))
	}
}
