package validate

import (
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// CommandInfo checks a command: its environment, that it can be passed to the
// system at all, and that every URI has a value. That there is something to
// run is not asked: the command of a container image may stand in.
func CommandInfo(c *mesos.CommandInfo) error {
	if err := field.In("environment", Environment(c.GetEnvironment())); err != nil {
		return err
	}
	if strings.ContainsRune(c.GetValue(), 0) {
		return field.Invalid("value", c.GetValue(), "contains a zero byte")
	}
	for i, argument := range c.GetArguments() {
		if strings.ContainsRune(argument, 0) {
			return field.At("arguments", i, field.Invalid("", argument, "contains a zero byte"))
		}
	}
	for i, uri := range c.GetUris() {
		if err := commandURI(uri); err != nil {
			return field.At("uris", i, err)
		}
	}
	return nil
}

func commandURI(u *mesos.CommandInfo_URI) error {
	if u.GetValue() == "" {
		return field.Invalid("value", "", "must not be empty")
	}
	if name := u.GetOutputFile(); strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) {
		return field.Invalid("output_file", name, "must be a path within the sandbox")
	}
	for part := range strings.SplitSeq(u.GetOutputFile(), "/") {
		if part == ".." {
			return field.Invalid("output_file", u.GetOutputFile(), "must not leave the sandbox")
		}
	}
	return nil
}

// Environment checks that every variable has a name that the system accepts
// and what its type promises. Errors never show a value: many are secret.
func Environment(e *mesos.Environment) error {
	for i, v := range e.GetVariables() {
		if err := variable(v); err != nil {
			return field.At("variables", i, err)
		}
	}
	return nil
}

func variable(v *mesos.Environment_Variable) error {
	name := v.GetName()
	if name == "" || strings.ContainsAny(name, "=\x00") {
		return field.Invalid("name", name, "must not be empty nor contain '=' or a zero byte")
	}
	switch v.GetType() {
	case mesos.Environment_Variable_VALUE:
		if v.Value == nil {
			return field.Missing("value")
		}
		if v.Secret != nil {
			return field.Invalid("secret", nil, "must not be set when type is VALUE")
		}
		if strings.ContainsRune(v.GetValue(), 0) {
			return field.Invalid("value", nil, "contains a zero byte")
		}
		return nil
	case mesos.Environment_Variable_SECRET:
		if v.Value != nil {
			return field.Invalid("value", nil, "must not be set when type is SECRET")
		}
		return field.In("secret", secret(v.GetSecret()))
	}
	return field.Invalid("type", v.GetType(), "must be VALUE or SECRET")
}

// secret never shows what it checks.
func secret(s *mesos.Secret) error {
	switch {
	case s == nil:
		return field.Missing("")
	case s.GetType() == mesos.Secret_REFERENCE && s.Reference == nil:
		return field.Missing("reference")
	case s.GetType() == mesos.Secret_REFERENCE && s.Value != nil:
		return field.Invalid("value", nil, "must not be set when type is REFERENCE")
	case s.GetType() == mesos.Secret_VALUE && s.Value == nil:
		return field.Missing("value")
	case s.GetType() == mesos.Secret_VALUE && s.Reference != nil:
		return field.Invalid("reference", nil, "must not be set when type is VALUE")
	case strings.ContainsRune(string(s.GetValue().GetData()), 0):
		return field.Invalid("value.data", nil, "contains a zero byte")
	}
	return nil
}
