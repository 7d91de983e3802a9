package haproxy

import (
	"fmt"
	"net"
	"strconv"
)

// withoutTaken leaves out what others than our process listen at: HAProxy starts
// with all of its ports or not at all. held are the addresses that it has already;
// nil where that is not known, and all is left to it.
func withoutTaken(c Config, held map[string]bool) Config {
	if held == nil {
		return c
	}
	problem := func(address string) (Problem, bool) {
		if address == "" || held[address] {
			return Problem{}, false
		}
		err := try(address)
		return Problem{Index: -1, Text: fmt.Sprintf("%s cannot be had: %v", address, err)}, err != nil
	}
	for _, virtual := range []*string{&c.Settings.HTTP, &c.Settings.HTTPS} {
		if p, taken := problem(normal(*virtual)); taken {
			c.Problems, *virtual = append(c.Problems, p), ""
		}
	}
	var free []Backend
	for _, b := range c.Backends {
		if p, taken := problem(b.Rule.address()); taken {
			p.App = b.Name
			c.Problems = append(c.Problems, p)
			continue
		}
		free = append(free, b)
	}
	c.Backends = free
	return c
}

// addresses are all that c listens at.
func (c Config) addresses() map[string]bool {
	all := map[string]bool{normal(c.Settings.HTTP): true, normal(c.Settings.HTTPS): true}
	for i := range c.Backends {
		all[c.Backends[i].Rule.address()] = true
	}
	return all
}

// address of a rule's own port, "" for none.
func (r Rule) address() string {
	if r.Port == 0 {
		return ""
	}
	return net.JoinHostPort(everywhere(r.Address), strconv.Itoa(r.Port))
}

// normal is an address of the operator's, as Rule.address prints it.
func normal(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(everywhere(host), port)
}

// everywhere is an address, that of all for "*" and "", as HAProxy takes them.
func everywhere(host string) string {
	if host == "" || host == "*" {
		return "0.0.0.0"
	}
	return host
}

// try listens for a moment.
func try(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
