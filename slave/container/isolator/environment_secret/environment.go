// Package environmentsecret gives programs the secrets of their environment.
// Imported by wiring.
package environmentsecret

import (
	"bytes"
	"context"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
	"troupe/slave/container/secret"
)

// Name is as --isolation has it.
const Name = "environment_secret"

// maxVariable is what the kernel takes for one variable, its name and the
// character at its end included.
const maxVariable = 128 << 10

// Isolator resolves secrets. It keeps no state.
type Isolator struct{ resolver secret.Resolver }

// New never fails.
func New(r secret.Resolver) Isolator { return Isolator{resolver: r} }

// Name is as --isolation has it.
func (Isolator) Name() string { return Name }

// Prepare adds to the plan's environment. Errors name the variable and the
// secret.
func (i Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	var env []string
	for n, v := range c.Command.GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			continue
		}
		text, err := i.resolve(ctx, v)
		if err != nil {
			return field.In("command.environment", field.At("variables", n, err))
		}
		env = append(env, text)
	}
	p.Env = append(p.Env, env...)
	return nil
}

// Furnish adds to the plan of a program that runs beside the container's own.
func (i Isolator) Furnish(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	return i.Prepare(ctx, c, p)
}

func (i Isolator) resolve(ctx context.Context, v *mesos.Environment_Variable) (string, error) {
	name := v.GetName()
	if name == "" || bytes.ContainsAny([]byte(name), "=\x00") {
		return "", field.Invalid("name", name, "cannot name a variable")
	}
	value, err := i.resolver.Resolve(ctx, v.GetSecret())
	if err != nil {
		return "", field.In("secret", err)
	}
	switch {
	case bytes.IndexByte(value, 0) >= 0:
		return "", field.Invalid("secret", secret.Name(v.GetSecret()), "has a zero byte, which variable %s cannot have; a volume can", name)
	case len(name)+len("=")+len(value)+1 > maxVariable:
		return "", field.Invalid("secret", secret.Name(v.GetSecret()), "is too long for variable %s, with %d bytes; a volume can have it", name, len(value))
	}
	return name + "=" + string(value), nil
}
