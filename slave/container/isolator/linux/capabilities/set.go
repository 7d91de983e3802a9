package capabilities

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// Set has capabilities, bit by their number in the kernel.
type Set uint64

// first is the number that Mesos gives to capability 0.
const first = mesos.CapabilityInfo_CHOWN

// String lists the names without CAP_, in the kernel's order.
func (s Set) String() string {
	if s == 0 {
		return "none"
	}
	var names []string
	for rest := s; rest != 0; rest &= rest - 1 {
		names = append(names, name(bits.TrailingZeros64(uint64(rest))))
	}
	return strings.Join(names, ",")
}

func name(number int) string {
	c := first + mesos.CapabilityInfo_Capability(number)
	if n, ok := mesos.CapabilityInfo_Capability_name[int32(c)]; ok {
		return n
	}
	return strconv.Itoa(number)
}

// Parse is the set of the capability that has a name such as CAP_NET_RAW. The
// error has the name.
func Parse(text string) (Set, error) {
	short, ok := strings.CutPrefix(text, "CAP_")
	c, known := mesos.CapabilityInfo_Capability_value[short]
	if !ok || !known || c == 0 {
		return 0, fmt.Errorf("capability %q is not known", text)
	}
	return 1 << (mesos.CapabilityInfo_Capability(c) - first), nil
}

// of is the set of a message. last is the highest number that the kernel knows.
func of(info *mesos.CapabilityInfo, last int) (Set, error) {
	var s Set
	for i, c := range info.GetCapabilities() {
		number := int(c - first)
		switch {
		case c < first || number > 63:
			return 0, field.At("capabilities", i, field.Invalid("", c, "is no capability"))
		case number > last:
			return 0, field.At("capabilities", i, field.Invalid("", c, "is not known to this machine's kernel"))
		}
		s |= 1 << number
	}
	return s, nil
}

// Held is what this process may have and give.
type Held struct {
	// Permitted it has; Bounding is the most that its descendants can have.
	Permitted, Bounding Set
}

// Hold reads what this process holds.
func Hold() (Held, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Held{}, fmt.Errorf("read own capabilities: %w", err)
	}
	var h Held
	for key, to := range map[string]*Set{"CapPrm:": &h.Permitted, "CapBnd:": &h.Bounding} {
		_, rest, ok := strings.Cut(string(status), "\n"+key)
		line, _, _ := strings.Cut(rest, "\n")
		n, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
		if !ok || err != nil {
			return Held{}, fmt.Errorf("read own capabilities: /proc/self/status has no %s that is a number: %q", key, line)
		}
		*to = Set(n)
	}
	return h, nil
}

// lastKnown is the highest capability of this kernel.
func lastKnown() (int, error) {
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return 0, fmt.Errorf("read the kernel's last capability: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
