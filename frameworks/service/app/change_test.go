package app

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func ptr[T any](v T) *T { return &v }

// full is an app with every field set, and what it points at as well.
func full() *App {
	port := func() *int { return ptr(8080) }
	return &App{
		ID: "/prod/web", Role: "web", Instances: 3, RequirePorts: true,
		Process: Process{
			Command: "run", Args: []string{"a"}, User: "u", Env: map[string]Value{"A": {"t", "s"}}, Secrets: map[string]string{"s": "x"},
			Fetch: []Artifact{{"u", true, true, true, "p"}}, Executor: "//cmd", TTY: ptr(true),
		},
		Container: &Container{
			Type: Mesos, Image: &Image{"i", true, true, []Parameter{{"k", "v"}}, "s"},
			Volumes: []Volume{{
				"data", ReadWrite, "/h", &Persistent{DiskRoot, 10, 20, "p", []Constraint{{"path", "LIKE", ptr(".")}}},
				&External{1, "n", "dvdi", map[string]string{"o": "p"}, true}, "s",
			}},
			Mappings: []Mapping{{80, port(), 10000, "tcp", "http", map[string]string{"a": "b"}, []string{"n"}}},
			Linux:    &Linux{&Seccomp{"p", true}, &IPC{"PRIVATE", 3}},
		},
		Resources: Resources{1, 128, 5, 1, &Limits{ptr(2.0), ptr(256.0)}, &ExecutorShares{0.1, 32, 10}},
		Labels:    map[string]string{"a": "b"},
		Networks:  []Network{{ModeContainer, "n", map[string]string{"a": "b"}}},
		Ports:     []Port{{10000, "tcp", "http", map[string]string{"VIP_0": "x"}}},
		Placement: Placement{[]Constraint{{"rack", "LIKE", ptr("a")}}, []string{"*"}},
		Checks: Checks{
			[]HealthCheck{{MesosHTTP, "/", "c", port(), port(), 1, 1, 1, 1, 1, true, "IPv4"}, {HTTP, "/", "c", port(), port(), 1, 1, 1, 1, 1, true, "IPv4"}},
			&Check{&HTTPCheck{port(), port(), "/", HTTP}, &TCPCheck{port(), port()}, "c", 1, 1, 1},
			[]Readiness{{"r", HTTP, "/", "http", 2, 1, []int{200}, true}},
		},
		Dependencies: []Path{"/db"},
		Upgrade:      Upgrade{1, 1}, Backoff: Backoff{1, 1.15, 300}, Kill: Kill{YoungestFirst, ptr(time.Second)},
		Unreachable: Unreachable{true, 1, 2}, Version: 7, History: History{7, 7},
	}
}

// mutations calls f with full() after each change of a single value in it.
func mutations(t *testing.T, f func(path string, a *App)) {
	var leaves []string
	var walk func(v reflect.Value, path string, at func(path string, v reflect.Value))
	walk = func(v reflect.Value, path string, at func(path string, v reflect.Value)) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name, at)
			}
		case reflect.Pointer:
			at(path+"=nil", v)
			walk(v.Elem(), path, at)
		case reflect.Slice:
			at(path+"=nil", v)
			for i := range v.Len() {
				walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), at)
			}
		default:
			at(path, v)
		}
	}
	walk(reflect.ValueOf(full()).Elem(), "", func(path string, v reflect.Value) {
		if v.IsZero() {
			t.Fatalf("full() leaves %s unset", path)
		}
		leaves = append(leaves, path)
	})
	for _, leaf := range leaves {
		a := full()
		walk(reflect.ValueOf(a).Elem(), "", func(path string, v reflect.Value) {
			if path == leaf {
				v.SetZero()
			}
		})
		f(leaf, a)
	}
	if len(leaves) < 120 {
		t.Fatalf("only %d values in an app", len(leaves))
	}
}

var around = []string{
	".Labels", ".Placement", ".Dependencies", ".Upgrade", ".Backoff", ".Kill", ".Unreachable", ".Checks.Readiness", ".Checks.Health[1]",
}

// No field is forgotten: every single change is seen, and those that instances
// cannot see are just those that are listed.
func TestCompareSeesEveryField(t *testing.T) {
	mutations(t, func(path string, a *App) {
		old := full()
		next := *a
		next.Labels = map[string]string{LabelInPlace: "true"}
		if path != ".Labels" {
			old.Labels = next.Labels
		}
		want := Replaced
		switch {
		case path == ".Version" || path == ".History.LastScaling" || path == ".History.LastConfig":
			want = Same
		case path == ".Instances":
			want = Scaled
		case slices.ContainsFunc(around, func(p string) bool { return len(path) >= len(p) && path[:len(p)] == p }):
			want = Edited
		}
		if got := Compare(old, &next); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if want == Edited {
			old, next = full(), *a
			if got := Compare(old, &next); got != Replaced {
				t.Errorf("%s without the label: %s", path, got)
			}
		}
	})
	if Compare(full(), full()) != Same {
		t.Error("the same differs")
	}
}

// A.13: which stamps a change sets.
func TestStamp(t *testing.T) {
	old := Stamp(nil, full(), 10)
	if old.Version != 10 || old.History != (History{10, 10}) {
		t.Fatal(old.Version, old.History)
	}
	for name, c := range map[string]struct {
		edit    func(*App)
		version Version
		history History
	}{
		"same":    {func(*App) {}, 10, History{10, 10}},
		"scaled":  {func(a *App) { a.Instances++ }, 20, History{20, 10}},
		"label":   {func(a *App) { a.Labels = nil }, 20, History{20, 20}},
		"inplace": {func(a *App) { a.Labels = map[string]string{LabelInPlace: "true"} }, 20, History{10, 10}},
		"inplace and scaled": {func(a *App) {
			a.Labels = map[string]string{LabelInPlace: "true"}
			a.Instances = 0
		}, 20, History{20, 10}},
	} {
		next := full()
		c.edit(next)
		if got := Stamp(old, next, 20); got.Version != c.version || got.History != c.history {
			t.Errorf("%s: %v %v", name, got.Version, got.History)
		}
	}
	if got := Restarted(old, 30); got.Version != 30 || got.History != (History{10, 30}) || old.Version != 10 {
		t.Error(got.Version, got.History)
	}
}

func onHost(id Path, ports ...int) *App {
	a := &App{ID: id, Networks: []Network{{Mode: ModeHost}}}
	for _, p := range ports {
		a.Ports = append(a.Ports, Port{Number: p})
	}
	return a
}

// A.11: automatic ports are unique in the cluster, and an app keeps its own by
// position.
func TestServicePorts(t *testing.T) {
	root := NewRoot().With(onHost("/a", 10000, 10002)).With(onHost("/b", 80))
	assign := func(last int, a, old *App) ([]int, error) {
		got, err := NewServicePorts(10000, last, root).Assign(a, old)
		if err != nil {
			return nil, err
		}
		return got.ServicePorts(), nil
	}
	for name, c := range map[string]struct {
		a, old *App
		want   []int
	}{
		"free ones":             {onHost("/c", 0, 0, 0), nil, []int{10001, 10003, 10004}},
		"explicit may repeat":   {onHost("/c", 80, 0), nil, []int{80, 10001}},
		"own explicit is taken": {onHost("/c", 0, 10001), nil, []int{10003, 10001}},
		"kept by position":      {onHost("/a", 0, 0, 0), root.App("/a"), []int{10000, 10002, 10001}},
		"moved explicitly":      {onHost("/a", 0, 10000), root.App("/a"), []int{10001, 10000}},
		"mapped": {&App{
			ID: "/d", Networks: []Network{{Mode: ModeBridge}},
			Container: &Container{Mappings: []Mapping{{}, {ServicePort: 9}}},
		}, nil, []int{10001, 9}},
		"none": {onHost("/c"), nil, []int{}},
	} {
		before := c.a.ServicePorts()
		got, err := assign(20000, c.a, c.old)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
		if !slices.Equal(before, c.a.ServicePorts()) {
			t.Errorf("%s: the app that came in was changed", name)
		}
	}
	if got, err := assign(10002, onHost("/c", 0, 0), nil); !errors.Is(err, ErrPortsExhausted) {
		t.Error(got, err)
	}
}
