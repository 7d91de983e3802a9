// Package address holds the one value that names an actor anywhere: its name,
// the host and port of its system, and which start of that system is meant.
// The runtime (actors/...) and everything above it may import it; it imports
// nothing of this module.
package address

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Limits of the parts of an address, in bytes. A longer part is refused, so that
// no peer can make others keep names of any size.
const (
	MaxName        = 255
	MaxHostPort    = 262
	MaxIncarnation = 64
)

// ErrInvalid is wrapped by every error of this package.
var ErrInvalid = errors.New("invalid actor address")

// PID addresses an actor. It is comparable and may be a map key. The zero PID
// addresses nobody.
type PID struct {
	// Name is unique within a system: "master", "observer/S3".
	Name string
	// Address is the host:port at which the system is dialed. Port 0 means that
	// nobody can dial it: such a system is reached over links it opened itself,
	// and only a PID with an incarnation tells two of them apart.
	Address string
	// Incarnation identifies one start of the system. Empty means whichever runs
	// now, which is how a well-known name is addressed on purpose.
	Incarnation string
}

// Parse reads "name@host:port", optionally followed by "#incarnation".
func Parse(s string) (PID, error) {
	name, rest, found := strings.Cut(s, "@")
	if !found {
		return PID{}, fmt.Errorf("%w %q: no @ between name and host:port", ErrInvalid, clip(s))
	}
	hostPort, incarnation, hash := strings.Cut(rest, "#")
	if hash && incarnation == "" {
		return PID{}, fmt.Errorf("%w %q: nothing after #", ErrInvalid, clip(s))
	}
	p := PID{Name: name, Address: hostPort, Incarnation: incarnation}
	return p, p.Validate()
}

// String is the form that Parse reads; the zero PID prints as "".
func (p PID) String() string {
	if p.IsZero() {
		return ""
	}
	if p.Incarnation == "" {
		return p.Name + "@" + p.Address
	}
	return p.Name + "@" + p.Address + "#" + p.Incarnation
}

// IsZero says that p addresses nobody.
func (p PID) IsZero() bool { return p == PID{} }

// WellKnown is p without its incarnation: whoever has that name when the
// message arrives.
func (p PID) WellKnown() PID {
	p.Incarnation = ""
	return p
}

// Validate reports the first part of p that is not well formed, with its value.
func (p PID) Validate() error {
	if err := ValidateName(p.Name); err != nil {
		return err
	}
	if err := ValidateHostPort(p.Address); err != nil {
		return err
	}
	return validatePart("incarnation", p.Incarnation, MaxIncarnation)
}

// ValidateName accepts 1 to MaxName visible ASCII characters without '@' and '#'.
func ValidateName(name string) error {
	if name == "" {
		return fmt.Errorf("%w: name is empty", ErrInvalid)
	}
	return validatePart("name", name, MaxName)
}

// ValidateHostPort accepts "host:port" with a host and a port of 0 to 65535 in
// plain decimal; an IPv6 host stands in brackets.
func ValidateHostPort(hostPort string) error {
	if err := validatePart("address", hostPort, MaxHostPort); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return fmt.Errorf("%w: address %q: not host:port", ErrInvalid, hostPort)
	}
	if host == "" {
		return fmt.Errorf("%w: address %q: host is empty", ErrInvalid, hostPort)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%w: address %q: port %q is not a number from 0 to 65535", ErrInvalid, hostPort, port)
	}
	// One spelling per address, or equal actors would compare as different.
	if net.JoinHostPort(host, port) != hostPort {
		return fmt.Errorf("%w: address %q: brackets around a host that needs none", ErrInvalid, hostPort)
	}
	return nil
}

// Dialable says whether a connection can be opened to hostPort: its port is not 0.
func Dialable(hostPort string) bool {
	return hostPort != "" && !strings.HasSuffix(hostPort, ":0")
}

func validatePart(part, value string, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("%w: %s %q has %d bytes, limit %d", ErrInvalid, part, clip(value), len(value), limit)
	}
	for i := 0; i < len(value); i++ {
		if b := value[i]; b <= ' ' || b > '~' || b == '@' || b == '#' {
			return fmt.Errorf("%w: %s %q: character %q at %d", ErrInvalid, part, value, b, i)
		}
	}
	return nil
}

// clip keeps an error about an oversized value readable.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
