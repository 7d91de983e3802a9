package environmentsecret

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
	"troupe/slave/container/secret"
)

func value(name, data string) *mesos.Environment_Variable {
	return &mesos.Environment_Variable{
		Name: &name, Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(data)}},
	}
}

func reference(name, of string) *mesos.Environment_Variable {
	return &mesos.Environment_Variable{
		Name: &name, Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{Name: &of}},
	}
}

func prepare(t *testing.T, p *plan.Plan, variables ...*mesos.Environment_Variable) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("pass word"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := secret.Open("file://" + dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{Command: &mesos.CommandInfo{Environment: &mesos.Environment{Variables: variables}}}
	return New(r).Prepare(context.Background(), c, p)
}

func TestProgramsHaveTheirSecrets(t *testing.T) {
	p := &plan.Plan{}
	err := prepare(t, p, value("A", "by value"), &mesos.Environment_Variable{Name: proto.String("B"), Value: proto.String("no secret")}, reference("C", "password"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"A=by value", "C=pass word"}; !slices.Equal(p.Env, want) {
		t.Errorf("planned %q, want %q", p.Env, want)
	}
	script := `echo "$A,$C"; tr '\0' ' ' < /proc/$$/cmdline`
	r := isolatortest.Shell(t, p, 0, script)
	if shown, _, _ := strings.Cut(r.Stdout, "\n"); shown != "by value,pass word" || strings.Count(r.Stdout, "pass word") != 1 {
		t.Errorf("the program has %+v", r)
	}
	if r := isolatortest.Shell(t, &plan.Plan{}, 0, script); !strings.HasPrefix(r.Stdout, ",\n") {
		t.Errorf("without the isolator the program has %+v", r)
	}
	if !p.Plain() {
		t.Error("secrets alone take an init")
	}
}

// A program beside the container's own has the secrets of its command.
func TestFurnish(t *testing.T) {
	p := &plan.Plan{Env: []string{"OURS=1"}}
	c := &isolator.Container{Command: &mesos.CommandInfo{Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{value("A", "x")}}}}
	if err := isolator.NewSet(New(secret.Values{})).Furnish(t.Context(), c, p); err != nil || !slices.Equal(p.Env, []string{"OURS=1", "A=x"}) {
		t.Errorf("planned %q, %v", p.Env, err)
	}
	c.Command.Environment.Variables[0] = reference("A", "password")
	if err := isolator.NewSet(New(secret.Values{})).Furnish(t.Context(), c, p); err == nil || !strings.Contains(err.Error(), "environment_secret") {
		t.Errorf("a reference that nobody resolves: %v", err)
	}
}

func TestFailuresNameTheVariableAndTheSecret(t *testing.T) {
	for name, c := range map[string]struct {
		variable *mesos.Environment_Variable
		words    []string
	}{
		"missing":   {reference("P", "none"), []string{"variables[0].secret.reference", `"none"`, "does not exist"}},
		"zero byte": {value("P", "hidden\x00"), []string{"variables[0].secret", "zero byte", "variable P"}},
		"too long":  {value("P", strings.Repeat("hidden", 30000)), []string{"variables[0].secret", "too long", "180000"}},
		"no name":   {value("", "hidden"), []string{"variables[0].name"}},
		"no secret": {&mesos.Environment_Variable{Name: proto.String("P"), Type: mesos.Environment_Variable_SECRET.Enum()}, []string{"variables[0].secret.type"}},
	} {
		p := &plan.Plan{}
		err := prepare(t, p, c.variable)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, word := range append(c.words, "command.environment") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", name, err, word)
			}
		}
		if strings.Contains(err.Error(), "hidden") || len(p.Env) > 0 {
			t.Errorf("%s: %q, planned %q", name, err, p.Env)
		}
	}
}

// The kernel takes the longest variable that is accepted.
func TestTheLongestVariable(t *testing.T) {
	p := &plan.Plan{}
	if err := prepare(t, p, value("P", strings.Repeat("x", maxVariable-3))); err != nil {
		t.Fatal(err)
	}
	if r := isolatortest.Shell(t, p, 0, `echo ${#P}`); r.Stdout != "131069\n" {
		t.Errorf("the program has %+v", r)
	}
	if err := prepare(t, p, value("P", strings.Repeat("x", maxVariable-2))); err == nil {
		t.Error("a variable is accepted that the kernel refuses")
	}
}
