package masters

import (
	"net/netip"
	"strconv"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// maxHost bounds a host's name, as DNS does.
const maxHost = 253

// addresses reads a list with commas between. Its errors name the entry.
func addresses(name, text string) ([]string, error) {
	parts := strings.Split(text, ",")
	list := make([]string, 0, len(parts))
	seen := make(map[string]bool, len(parts))
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if err := CheckAddress(part); err != nil {
			return nil, field.At(name, i, err)
		}
		if seen[part] {
			return nil, field.At(name, i, field.Invalid("", part, "is listed twice"))
		}
		seen[part] = true
		list = append(list, part)
	}
	return list, nil
}

// CheckAddress checks that text is host:port with a port that can be dialed; an
// IPv6 address stands in brackets.
func CheckAddress(text string) error {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return field.Invalid("", text, "is not host:port: it has no port")
	}
	host, port := text[:i], text[i+1:]
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return field.Invalid("", text, "is not host:port: its port is not a number from 1 to 65535")
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		if !found || err != nil || !ip.Is6() {
			return field.Invalid("", text, "is not host:port: there is no IPv6 address in its brackets")
		}
		return nil
	}
	switch {
	case host == "":
		return field.Invalid("", text, "is not host:port: its host is empty")
	case strings.Contains(host, ":"):
		return field.Invalid("", text, "is not host:port: an IPv6 address stands in brackets")
	case len(host) > maxHost:
		return field.Invalid("", text, "is not host:port: its host has more than %d bytes", maxHost)
	}
	for _, b := range []byte(host) {
		if b <= ' ' || b > '~' || strings.IndexByte("@#/?[]\\\"", b) >= 0 {
			return field.Invalid("", text, "is not host:port: its host holds %q", rune(b))
		}
	}
	return nil
}

// Address is where actors and HTTP clients reach a master, host:port: of its pid,
// else its address, else the IPv4 address and port that the oldest clients read.
func Address(m *mesos.MasterInfo) (string, error) {
	candidates := make([]string, 0, 3)
	if _, at, found := strings.Cut(m.GetPid(), "@"); found {
		candidates = append(candidates, at)
	}
	if a := m.GetAddress(); a != nil {
		port := strconv.Itoa(int(a.GetPort()))
		candidates = append(candidates, join(a.GetIp(), port), join(a.GetHostname(), port))
	}
	port := strconv.FormatUint(uint64(m.GetPort()), 10)
	candidates = append(candidates, join(m.GetHostname(), port))
	if ip := m.GetIp(); ip != 0 {
		v4 := netip.AddrFrom4([4]byte{byte(ip), byte(ip >> 8), byte(ip >> 16), byte(ip >> 24)})
		candidates = append(candidates, join(v4.String(), port))
	}
	for _, c := range candidates {
		if CheckAddress(c) == nil {
			return c, nil
		}
	}
	return "", field.Invalid("master_info", m.GetId(), "has no address: neither pid, address, hostname nor ip")
}

// join puts brackets around an IPv6 address.
func join(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}
