package validate

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

func ptr[T any](v T) *T { return &v }

// check is a change of something valid and the error that it must cause; no
// error when want is empty.
type check[M proto.Message] struct {
	name   string
	change func(m M)
	want   string
}

func run[M proto.Message](t *testing.T, valid func() M, validate func(M) error, checks []check[M]) {
	t.Helper()
	for _, c := range checks {
		m := valid()
		c.change(m)
		before := proto.Clone(m)
		err := validate(m)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if !proto.Equal(before, m) && !strings.Contains(c.want, "NaN") {
			t.Errorf("%s: the check changed the message", c.name)
		}
	}
}

func framework() *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{User: ptr("root"), Name: ptr("test")}
}

func multiRole(f *mesos.FrameworkInfo, roles ...string) {
	f.Roles = roles
	f.Capabilities = []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}}
}

func TestFrameworkInfo(t *testing.T) {
	filters := func(name string, amount float64) map[string]*mesos.OfferFilters {
		return map[string]*mesos.OfferFilters{"web": {MinAllocatableResources: &mesos.OfferFilters_MinAllocatableResources{
			Quantities: []*mesos.OfferFilters_ResourceQuantities{{Quantities: map[string]*mesos.Value_Scalar{name: {Value: &amount}}}},
		}}}
	}
	run(t, framework, FrameworkInfo, []check[*mesos.FrameworkInfo]{
		{"valid", func(*mesos.FrameworkInfo) {}, ""},
		{"empty id", func(f *mesos.FrameworkInfo) { f.Id = &mesos.FrameworkID{Value: ptr("")} }, ""},
		{"bad id", func(f *mesos.FrameworkInfo) { f.Id = &mesos.FrameworkID{Value: ptr("a/b")} }, `id.value: "a/b": must not contain '/'`},
		{"several roles", func(f *mesos.FrameworkInfo) { multiRole(f, "a", "b/c") }, ""},
		{"roles without capability", func(f *mesos.FrameworkInfo) { f.Roles = []string{"a"} }, `roles: [a]: must not be set without the capability MULTI_ROLE`},
		{"role with capability", func(f *mesos.FrameworkInfo) { multiRole(f, "a"); f.Role = ptr("a") }, `role: "a": must not be set with the capability MULTI_ROLE; set roles`},
		{"role twice", func(f *mesos.FrameworkInfo) { multiRole(f, "a", "b", "a") }, `roles[2]: "a": is there twice`},
		{"bad role", func(f *mesos.FrameworkInfo) { f.Role = ptr("a//b") }, `role: "a//b": must not start or end with '/' or contain "//"`},
		{"negative timeout", func(f *mesos.FrameworkInfo) { f.FailoverTimeout = ptr(-1.0) }, `failover_timeout: -1: must be between 0 and 9223372036 seconds`},
		{"NaN timeout", func(f *mesos.FrameworkInfo) { f.FailoverTimeout = ptr(math.NaN()) }, `failover_timeout: NaN: must be between 0 and 9223372036 seconds`},
		{"endless timeout", func(f *mesos.FrameworkInfo) { f.FailoverTimeout = ptr(1e300) }, `failover_timeout: 1e+300: must be between 0 and 9223372036 seconds`},
		{"filters", func(f *mesos.FrameworkInfo) { f.OfferFilters = filters("cpus", 1) }, ""},
		{"negative filter", func(f *mesos.FrameworkInfo) { f.OfferFilters = filters("cpus", -1) }, `offer_filters[web].min_allocatable_resources.quantities[0].quantities[cpus].value: -1: is negative`},
		{"nameless filter", func(f *mesos.FrameworkInfo) { f.OfferFilters = filters("", 1) }, `offer_filters[web].min_allocatable_resources.quantities[0].quantities[]: "": must not be empty`},
	})
	if FrameworkInfo(nil) == nil {
		t.Error("no framework is valid")
	}
}

func TestRoles(t *testing.T) {
	f := framework()
	if got := Roles(f); len(got) != 1 || got[0] != "*" {
		t.Errorf("without a role: %v", got)
	}
	multiRole(f, "a", "b")
	if got := Roles(f); len(got) != 2 {
		t.Errorf("with two roles: %v", got)
	}
}

func TestAgentInfo(t *testing.T) {
	valid := func() *mesos.AgentInfo {
		return &mesos.AgentInfo{Hostname: ptr("h"), Resources: resources.MustParse("cpus:1").Proto()}
	}
	run(t, valid, AgentInfo, []check[*mesos.AgentInfo]{
		{"valid", func(*mesos.AgentInfo) {}, ""},
		{"no host name", func(a *mesos.AgentInfo) { a.Hostname = ptr("") }, `hostname: "": must not be empty`},
		{"port", func(a *mesos.AgentInfo) { a.Port = ptr(int32(70000)) }, `port: 70000: must be between 0 and 65535`},
		{"id", func(a *mesos.AgentInfo) { a.Id = &mesos.AgentID{Value: ptr("..")} }, `id.value: "..": must not be ".."`},
		{"resource", func(a *mesos.AgentInfo) { a.Resources[0].Scalar.Value = ptr(-1.0) }, `resources[0].(cpus).scalar.value: -1: is negative`},
		{"attribute", func(a *mesos.AgentInfo) { a.Attributes = []*mesos.Attribute{{Name: ptr("")}} }, `attributes[0].name: "": must not be empty`},
	})
}

func TestCommandInfo(t *testing.T) {
	variable := func(v *mesos.Environment_Variable) func(*mesos.CommandInfo) {
		return func(c *mesos.CommandInfo) {
			c.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{v}}
		}
	}
	secretType := mesos.Environment_Variable_SECRET.Enum()
	run(t, func() *mesos.CommandInfo { return &mesos.CommandInfo{Value: ptr("true")} }, CommandInfo, []check[*mesos.CommandInfo]{
		{"valid", func(*mesos.CommandInfo) {}, ""},
		{"zero byte", func(c *mesos.CommandInfo) { c.Value = ptr("a\x00b") }, `value: "a\x00b": contains a zero byte`},
		{"zero byte in argument", func(c *mesos.CommandInfo) { c.Arguments = []string{"a", "\x00"} }, `arguments[1]: "\x00": contains a zero byte`},
		{"variable", variable(&mesos.Environment_Variable{Name: ptr("A"), Value: ptr("b")}), ""},
		{"variable without value", variable(&mesos.Environment_Variable{Name: ptr("A")}), `environment.variables[0].value: must be set`},
		{"variable with =", variable(&mesos.Environment_Variable{Name: ptr("A="), Value: ptr("b")}), `environment.variables[0].name: "A=": must not be empty nor contain '=' or a zero byte`},
		{"secret without secret", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType}), `environment.variables[0].secret: must be set`},
		{"secret with value", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Value: ptr("x")}), `environment.variables[0].value: must not be set when type is SECRET`},
		{"secret", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte("x")}}}), ""},
		{"secret with zero byte", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte("pass\x00word")}}}), `environment.variables[0].secret.value.data: contains a zero byte`},
		{"no type", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: mesos.Environment_Variable_UNKNOWN.Enum()}), `environment.variables[0].type: UNKNOWN: must be VALUE or SECRET`},
		{"value with secret", variable(&mesos.Environment_Variable{Name: ptr("A"), Value: ptr("x"), Secret: &mesos.Secret{}}), `environment.variables[0].secret: must not be set when type is VALUE`},
		{"value with zero byte", variable(&mesos.Environment_Variable{Name: ptr("A"), Value: ptr("x\x00")}), `environment.variables[0].value: contains a zero byte`},
		{"reference without reference", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum()}}), `environment.variables[0].secret.reference: must be set`},
		{"reference with value", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{}, Value: &mesos.Secret_Value{}}}), `environment.variables[0].secret.value: must not be set when type is REFERENCE`},
		{"value without value", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum()}}), `environment.variables[0].secret.value: must be set`},
		{"value with reference", variable(&mesos.Environment_Variable{Name: ptr("A"), Type: secretType, Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Reference: &mesos.Secret_Reference{}, Value: &mesos.Secret_Value{}}}), `environment.variables[0].secret.reference: must not be set when type is VALUE`},
		{"URI", func(c *mesos.CommandInfo) { c.Uris = []*mesos.CommandInfo_URI{{Value: ptr("")}} }, `uris[0].value: "": must not be empty`},
		{"URI out of the sandbox", func(c *mesos.CommandInfo) {
			c.Uris = []*mesos.CommandInfo_URI{{Value: ptr("u"), OutputFile: ptr("a/../../b")}}
		}, `uris[0].output_file: "a/../../b": must not leave the sandbox`},
		{"URI to an absolute path", func(c *mesos.CommandInfo) {
			c.Uris = []*mesos.CommandInfo_URI{{Value: ptr("u"), OutputFile: ptr("/etc/passwd")}}
		}, `uris[0].output_file: "/etc/passwd": must be a path within the sandbox`},
	})
}
