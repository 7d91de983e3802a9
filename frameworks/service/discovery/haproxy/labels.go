package haproxy

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

// anyGroup is the group of an HAProxy that serves all apps that have one.
const anyGroup = "*"

var (
	hostName = regexp.MustCompile(`^(\*\.)?[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$`)
	urlPath  = regexp.MustCompile(`^/[a-zA-Z0-9._~/-]*$`)
	taskName = regexp.MustCompile(`^[a-zA-Z0-9._:-]+$`)
)

var balances = []string{"roundrobin", "leastconn", "random", "source"}

// Build is the configuration for services, which are in order, of one of the groups.
// Of two that want one port, or one host and path, the first gets it.
func Build(services []*endpoints.Service, groups []string, s Settings) Config {
	return new(cache).build(services, groups, s)
}

// cache has what was read of services, which never change: of each the last.
type cache struct{ offers map[app.Path]offers }

// offers are what a service's labels say of its ports.
type offers struct {
	of    *endpoints.Service
	ports []offer
}

// offer is a port that is to be served, if it can be.
type offer struct {
	index   int
	rule    Rule
	err     error
	servers []Server
}

func (c *cache) build(services []*endpoints.Service, groups []string, s Settings) Config {
	b := builder{
		config: Config{Settings: s}, names: map[string]bool{}, ports: map[string]string{}, hosts: map[string]string{},
	}
	b.reserve(s.HTTP, virtualHTTP)
	if s.Certificates != "" {
		b.reserve(s.HTTPS, virtualHTTPS)
	}
	fresh := make(map[app.Path]offers, len(services))
	for _, one := range services {
		o := c.offers[one.App]
		if o.of != one {
			o = read(one, groups, s)
		}
		fresh[one.App] = o
		for i := range o.ports {
			b.add(one.App, &o.ports[i])
		}
	}
	c.offers = fresh
	return b.config
}

// read reads a service's labels.
func read(s *endpoints.Service, groups []string, set Settings) offers {
	o := offers{of: s}
	for i, p := range s.Ports {
		l := labels{s.Labels, i}
		if !l.wanted(groups) || !slices.Contains(p.Protocols, "tcp") {
			continue
		}
		one := offer{index: i}
		one.rule, one.err = l.rule(p.ServicePort, set)
		if one.err == nil && one.rule.Port == 0 && len(one.rule.Hosts) == 0 {
			one.err = fmt.Errorf("there is neither a service port nor a virtual host")
		}
		one.servers = servers(s, i)
		o.ports = append(o.ports, one)
	}
	return o
}

// servers are the live endpoints of a port.
func servers(s *endpoints.Service, port int) []Server {
	var list []Server
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		if e.Status != endpoints.Live || port >= len(e.Targets) {
			continue
		}
		if t := e.Targets[port]; t.Port != 0 && taskName.MatchString(e.Task) && isHost(t.Address) {
			list = append(list, Server{Name: e.Task, Address: t.Address, Port: t.Port})
		}
	}
	return list
}

type builder struct {
	config Config
	names  map[string]bool   // of backends
	ports  map[string]string // backend by address and port
	hosts  map[string]string // backend by host and path
}

func (b *builder) add(id app.Path, o *offer) {
	err := o.err
	name := id.Flat() + "_" + strconv.Itoa(o.rule.Port)
	if b.names[name] {
		name += "_" + strconv.Itoa(o.index)
	}
	if err == nil {
		err = b.claim(name, o.rule)
	}
	if err != nil {
		b.config.Problems = append(b.config.Problems, Problem{string(id), o.index, err.Error()})
		return
	}
	b.names[name] = true
	b.config.Backends = append(b.config.Backends, Backend{Name: name, Rule: o.rule, Servers: o.servers})
}

func isHost(address string) bool {
	_, err := netip.ParseAddr(address)
	return err == nil || hostName.MatchString(address) && !strings.HasPrefix(address, "*")
}

// reserve keeps an address of the operator's from ports of apps.
func (b *builder) reserve(address, name string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return // it was checked, so that it is empty
	}
	b.ports[net.JoinHostPort(all(host), port)] = name
}

// all is an address, "" of all.
func all(address string) string {
	if address == "*" {
		return ""
	}
	return address
}

// claim takes a port, hosts and paths for a backend, all or none of them.
func (b *builder) claim(name string, r Rule) error {
	port := ""
	if r.Port != 0 {
		port = net.JoinHostPort(r.Address, strconv.Itoa(r.Port))
		if other, taken := b.ports[port]; taken {
			return fmt.Errorf("port %d is served for %s already", r.Port, other)
		}
	}
	var keys []string
	for _, h := range r.Hosts {
		key := h + r.Path
		if other, taken := b.hosts[key]; taken {
			return fmt.Errorf("host %s%s is served for %s already", h, r.Path, other)
		}
		keys = append(keys, key)
	}
	if port != "" {
		b.ports[port] = name
	}
	for _, key := range keys {
		b.hosts[key] = name
	}
	return nil
}

// labels of an app for one of its ports.
type labels struct {
	all   map[string]string
	index int
}

func (l labels) get(name string) (string, bool) {
	v, ok := l.all[fmt.Sprintf("HAPROXY_%d_%s", l.index, name)]
	return strings.TrimSpace(v), ok
}

// wanted tells whether the port is for one of the groups.
func (l labels) wanted(groups []string) bool {
	text, own := l.get("GROUP")
	if !own {
		text = l.all["HAPROXY_GROUP"]
	}
	if enabled, said := l.get("ENABLED"); said && !yes(enabled) {
		return false
	}
	for g := range strings.SplitSeq(text, ",") {
		g = strings.TrimSpace(g)
		if g != "" && (slices.Contains(groups, g) || slices.Contains(groups, anyGroup)) {
			return true
		}
	}
	return false
}

func yes(text string) bool { return strings.EqualFold(text, "true") }

// rule reads what the labels say. The error names the label and its value.
func (l labels) rule(servicePort int, s Settings) (Rule, error) {
	r := Rule{Port: servicePort, Balance: balances[0], Address: all(s.Bind)}
	for _, read := range []func(*Rule) error{l.readPort, l.readHosts, l.readMode, l.readBalance} {
		if err := read(&r); err != nil {
			return r, err
		}
	}
	if text, ok := l.get("REDIRECT_TO_HTTPS"); ok && yes(text) && s.HTTPS != "" {
		r.Redirect = true
	}
	return r, nil
}

func (l labels) wrong(name, value, want string) error {
	if len(value) > 100 {
		value = value[:100] + "…"
	}
	return fmt.Errorf("label HAPROXY_%d_%s is %q, which is not %s", l.index, name, value, want)
}

func (l labels) readPort(r *Rule) error {
	if text, ok := l.get("PORT"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			return l.wrong("PORT", text, "a port")
		}
		r.Port = n
	}
	if text, ok := l.get("BIND_ADDR"); ok && text != "" && text != "*" {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return l.wrong("BIND_ADDR", text, "an address")
		}
		r.Address = ip.String()
	}
	return nil
}

func (l labels) readHosts(r *Rule) error {
	text, _ := l.get("VHOST")
	for h := range strings.SplitSeq(text, ",") {
		if h = strings.ToLower(strings.TrimSpace(h)); h == "" {
			continue
		}
		if !hostName.MatchString(h) || len(h) > 253 {
			return l.wrong("VHOST", h, "the name of a host")
		}
		if !slices.Contains(r.Hosts, h) {
			r.Hosts = append(r.Hosts, h)
		}
	}
	slices.Sort(r.Hosts)
	if path, ok := l.get("PATH"); ok && path != "" && path != "/" {
		if !urlPath.MatchString(path) || len(path) > 1024 {
			return l.wrong("PATH", path, "the beginning of a path")
		}
		if len(r.Hosts) == 0 {
			return l.wrong("PATH", path, "allowed without a VHOST")
		}
		r.Path = path
	}
	return nil
}

func (l labels) readMode(r *Rule) error {
	r.HTTP = len(r.Hosts) > 0
	if text, ok := l.get("MODE"); ok {
		switch {
		case text == "http":
			r.HTTP = true
		case text == "tcp" && len(r.Hosts) == 0:
			r.HTTP = false
		case text == "tcp":
			return l.wrong("MODE", text, "possible with a VHOST")
		default:
			return l.wrong("MODE", text, "tcp or http")
		}
	}
	if text, ok := l.get("STICKY"); ok && yes(text) {
		if !r.HTTP {
			return l.wrong("STICKY", text, "possible in mode tcp")
		}
		r.Sticky = true
	}
	return nil
}

func (l labels) readBalance(r *Rule) error {
	text, ok := l.get("BALANCE")
	if !ok {
		return nil
	}
	if !slices.Contains(balances, text) {
		return l.wrong("BALANCE", text, "one of "+strings.Join(balances, ", "))
	}
	r.Balance = text
	return nil
}

func (r Rule) equal(o Rule) bool {
	return slices.Equal(r.Hosts, o.Hosts) && r.Address == o.Address && r.Port == o.Port && r.HTTP == o.HTTP &&
		r.Balance == o.Balance && r.Sticky == o.Sticky && r.Redirect == o.Redirect && r.Path == o.Path
}
