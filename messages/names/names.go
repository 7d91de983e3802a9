// Package names says which ids, role names, resource names and machines are
// well formed. It knows strings alone; anything may import it.
package names

import (
	"net/netip"
	"strings"
	"unicode"

	"troupe/messages/field"
)

// MaxID is the longest id, in bytes; ids become names of files.
const MaxID = 255

// CheckID returns an error, with path as its field, unless value can be an
// id: not empty, at most MaxID bytes, usable as the name of a file on every
// system (no '/', '\' or control character, neither "." nor "..").
func CheckID(path, value string) error {
	switch {
	case value == "":
		return field.Invalid(path, value, "must not be empty")
	case len(value) > MaxID:
		return field.Invalid(path, value, "has %d bytes, more than %d", len(value), MaxID)
	case value == "." || value == "..":
		return field.Invalid(path, value, "must not be %q", value)
	}
	for _, r := range value {
		if r == '/' || r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r) {
			return field.Invalid(path, value, "must not contain %q", r)
		}
	}
	return nil
}

// AnyRole is the role of everybody: its resources are not reserved.
const AnyRole = "*"

// CheckRole returns an error, with path as its field, unless role is "*" or
// components joined by '/', each not empty, not ".", ".." or "*", not
// starting with '-', without white space or control characters.
func CheckRole(path, role string) error {
	if role == AnyRole {
		return nil
	}
	if role == "" {
		return field.Invalid(path, role, "must not be empty")
	}
	if i := strings.IndexFunc(role, notInRole); i >= 0 {
		return field.Invalid(path, role, "must not contain %q", role[i:i+1])
	}
	for part := range strings.SplitSeq(role, "/") {
		switch {
		case part == "":
			return field.Invalid(path, role, "must not start or end with '/' or contain \"//\"")
		case part == "." || part == ".." || part == AnyRole:
			return field.Invalid(path, role, "must not have a component %q", part)
		case part[0] == '-':
			return field.Invalid(path, role, "must not have a component that starts with '-'")
		}
	}
	return nil
}

func notInRole(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
}

// Within tells whether role is ancestor itself or below it in the hierarchy
// of roles: "eng/web" is within "eng". Nothing but "*" is within "*".
func Within(role, ancestor string) bool {
	rest, ok := strings.CutPrefix(role, ancestor)
	return ok && (rest == "" || rest[0] == '/')
}

// TopRole tells whether role is at the top of the hierarchy.
func TopRole(role string) bool { return !strings.Contains(role, "/") }

// CheckResource returns an error, with path as its field, unless name can
// name a resource or an attribute: not empty, at most MaxID bytes, no white
// space at its ends, no control character and none of the signs of the text
// form, ":;()[]{},".
func CheckResource(path, name string) error {
	switch {
	case isPlain(name):
		return nil
	case name == "":
		return field.Invalid(path, name, "must not be empty")
	case len(name) > MaxID:
		return field.Invalid(path, name, "has %d bytes, more than %d", len(name), MaxID)
	case strings.TrimSpace(name) != name:
		return field.Invalid(path, name, "must not start or end with white space")
	}
	for _, r := range name {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || strings.ContainsRune(":;()[]{},", r) {
			return field.Invalid(path, name, "must not contain %q", r)
		}
	}
	return nil
}

// isPlain tells whether name is a few small letters of ASCII, as almost all are,
// of which nothing else need be asked.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return 0 < len(name) && len(name) <= 32
}

// NoMachine is the Machine of neither a host name nor an address.
const NoMachine = "@"

// Machine is how a machine is compared, by host name, address, or both; the
// case of letters is no matter.
func Machine(hostname, ip string) string {
	return strings.ToLower(hostname) + "@" + strings.ToLower(ip)
}

// ShowMachine is Machine for people: node1, 10.0.0.1, or node1@10.0.0.1.
func ShowMachine(hostname, ip string) string { return strings.Trim(Machine(hostname, ip), "@") }

// CheckMachine returns an error, with path as its field, unless hostname and ip
// can name a machine: one of them is not empty, hostname has no white space,
// control character, '/' or '@', and ip is an address.
func CheckMachine(path, hostname, ip string) error {
	switch {
	case hostname == "" && ip == "":
		return &field.Error{Path: path, Reason: "has neither hostname nor ip"}
	case len(hostname) > MaxID:
		return field.In(path, field.Invalid("hostname", hostname, "is longer than %d bytes", MaxID))
	case strings.ContainsFunc(hostname, func(r rune) bool { return notInRole(r) || r == '/' || r == '@' }):
		return field.In(path, field.Invalid("hostname", hostname, "holds white space, a control character, '/' or '@'"))
	}
	if ip == "" {
		return nil
	}
	if _, err := netip.ParseAddr(ip); err != nil {
		return field.In(path, field.Invalid("ip", ip, "is not an address"))
	}
	return nil
}

// CheckContainerPath returns an error, with path as its field, unless value leads
// to a place in a sandbox, or is absolute, which agents may refuse.
func CheckContainerPath(path, value string) error {
	if len(value) > 1 && value[0] == '/' {
		return CheckSandboxPath(path, value[1:])
	}
	return CheckSandboxPath(path, value)
}

// CheckSandboxPath returns an error, with path as its field, unless value leads
// to a place inside a sandbox: relative, and without a component "..".
func CheckSandboxPath(path, value string) error {
	switch {
	case value == "":
		return field.Missing(path)
	case value[0] == '/':
		return field.Invalid(path, value, "must be relative")
	case strings.ContainsRune(value, 0):
		return field.Invalid(path, value, "must not contain a zero byte")
	}
	for part := range strings.SplitSeq(value, "/") {
		if part == ".." {
			return field.Invalid(path, value, "must not lead out of the sandbox")
		}
	}
	return nil
}
