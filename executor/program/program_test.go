package program

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

func variables(kv ...string) *mesos.Environment {
	e := &mesos.Environment{}
	for i := 0; i < len(kv); i += 2 {
		e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: &kv[i], Value: &kv[i+1]})
	}
	return e
}

func TestForCommand(t *testing.T) {
	base := Spec{Dir: "/s", Env: []string{"A=1", "B=2"}, User: "ann"}
	for name, c := range map[string]struct {
		base    Spec
		command *mesos.CommandInfo
		want    Spec
	}{
		"shell": {
			base, &mesos.CommandInfo{Value: proto.String("echo $A")},
			Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "echo $A"}, Dir: "/s", Env: base.Env, User: "ann"},
		},
		"argv": {
			base, &mesos.CommandInfo{Value: proto.String("echo"), Shell: proto.Bool(false), Arguments: []string{"echo", "$A"}},
			Spec{Path: "echo", Args: []string{"echo", "$A"}, Dir: "/s", Env: base.Env, User: "ann"},
		},
		"environment on top": {
			base, &mesos.CommandInfo{Value: proto.String("x"), Environment: variables("C", "3", "A", "9")},
			Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "x"}, Dir: "/s", Env: []string{"A=9", "B=2", "C=3"}, User: "ann"},
		},
		"its user": {
			base, &mesos.CommandInfo{Value: proto.String("x"), User: proto.String("bob")},
			Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "x"}, Dir: "/s", Env: base.Env, User: "bob"},
		},
		"no user without switching": {
			Spec{Dir: "/s"},
			&mesos.CommandInfo{Value: proto.String("x"), User: proto.String("bob")},
			Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "x"}, Dir: "/s"},
		},
	} {
		got, err := ForCommand(c.base, c.command)
		if len(got.Env) == 0 {
			got.Env = nil
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	if !reflect.DeepEqual(base.Env, []string{"A=1", "B=2"}) {
		t.Errorf("the base was changed: %v", base.Env)
	}
}

func TestForCommandNamesTheField(t *testing.T) {
	ok := proto.String("x")
	hidden := variables("PASSWORD", "")
	hidden.Variables[0].Type = mesos.Environment_Variable_SECRET.Enum()
	for want, c := range map[string]*mesos.CommandInfo{
		"command.value: must be set":                              nil,
		`command.value: "a\x00b": has a zero byte`:                {Value: proto.String("a\x00b")},
		`command.arguments[1]: "\x00": has a zero byte`:           {Value: ok, Arguments: []string{"a", "\x00"}},
		`command.environment.variables[0].name: "": cannot name`:  {Value: ok, Environment: variables("", "v")},
		`variables[1].name: "A=B": cannot name a variable`:        {Value: ok, Environment: variables("A", "", "A=B", "v")},
		`command.environment.variables[0].value: "A": has a zero`: {Value: ok, Environment: variables("A", "\x00")},
		`variables[0].type: "PASSWORD SECRET": cannot be had`:     {Value: ok, Environment: hidden},
	} {
		if _, err := ForCommand(Spec{}, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Where the container gives secrets, the command has the rest.
func TestSecretsOfContainers(t *testing.T) {
	e := variables("A", "1", "B", "2")
	e.Variables[0].Type = mesos.Environment_Variable_SECRET.Enum()
	s, err := ForCommand(Spec{Secrets: true}, &mesos.CommandInfo{Value: proto.String("x"), Environment: e})
	if err != nil || !reflect.DeepEqual(s.Env, []string{"B=2"}) {
		t.Errorf("%+v, %v", s, err)
	}
}

// A guest's own environment is told apart from what it shares.
func TestOwnEnvironmentOfGuests(t *testing.T) {
	e := variables("A", "1")
	for _, guest := range []bool{true, false} {
		s, err := ForCommand(Spec{Guest: guest, Env: []string{"B=2"}}, &mesos.CommandInfo{Value: proto.String("x"), Environment: e})
		if err != nil || !reflect.DeepEqual(s.Env, []string{"B=2", "A=1"}) || (s.Own == e) != guest {
			t.Errorf("guest %v: %+v, %v", guest, s, err)
		}
	}
}

func TestSecretsAreLeftOut(t *testing.T) {
	e := variables("A", "1", "B", "2")
	e.Variables[0].Type = mesos.Environment_Variable_SECRET.Enum()
	if got := Environment(e); !reflect.DeepEqual(got, []string{"B=2"}) {
		t.Errorf("%v", got)
	}
}

// TestMerge: every name once, with its last value.
func TestMerge(t *testing.T) {
	kv := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name") + "=" + rapid.StringN(0, 2, 2).Draw(t, "value")
	})
	rapid.Check(t, func(rt *rapid.T) {
		env := Merge(nil, rapid.SliceOf(kv).Draw(rt, "env")...)
		top := rapid.SliceOf(kv).Draw(rt, "top")
		want := map[string]string{}
		for _, e := range append(append([]string{}, env...), top...) {
			n, v, _ := strings.Cut(e, "=")
			want[n] = v
		}
		got := map[string]string{}
		for _, e := range Merge(env, top...) {
			n, v, _ := strings.Cut(e, "=")
			if _, twice := got[n]; twice {
				rt.Fatalf("%s twice", n)
			}
			got[n] = v
		}
		if !reflect.DeepEqual(got, want) {
			rt.Errorf("%v, want %v", got, want)
		}
	})
}
