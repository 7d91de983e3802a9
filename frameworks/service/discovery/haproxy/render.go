package haproxy

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// watched is how HAProxy itself looks after servers, so that it notices within
// seconds that a machine is gone, long before anybody else knows.
const watched = "check inter 2s fastinter 500ms fall 2 rise 1 observe layer4 error-limit 3 on-error mark-down"

// Names of the frontends of virtual hosts.
const (
	virtualHTTP  = "virtual_http"
	virtualHTTPS = "virtual_https"
)

const preamble = `# Written by troupe. Changes are lost.
%sdefaults
  timeout connect 3s
  timeout client 60s
  timeout server 60s
  timeout check 2s
  timeout http-keep-alive 10s
  timeout tunnel 1h
  retries 3
  option redispatch 1
  option dontlognull
`

// Render is the text of a configuration.
func Render(c Config) string {
	var w strings.Builder
	// Without a spread an old worker closes the idle connections of clients at once,
	// some of them just when a request is on its way.
	global := "global\n  hard-stop-after 1h\n  close-spread-time 5s\n"
	if c.Settings.MaxConnections > 0 {
		global += fmt.Sprintf("  maxconn %d\n", c.Settings.MaxConnections)
	}
	fmt.Fprintf(&w, preamble, global)
	for _, p := range c.Problems {
		fmt.Fprintf(&w, "# %q port %d is not served: %q\n", p.App, p.Index, p.Text)
	}
	virtual(&w, virtualHTTP, c.Settings.HTTP, "", c.Backends)
	if c.Settings.Certificates != "" {
		virtual(&w, virtualHTTPS, c.Settings.HTTPS, " ssl crt "+c.Settings.Certificates+" alpn h2,http/1.1", c.Backends)
	}
	for i := range c.Backends {
		frontend(&w, &c.Backends[i])
		backend(&w, &c.Backends[i])
	}
	if len(c.Backends) == 0 {
		w.WriteString("backend nothing\n") // there must be something
	}
	return w.String()
}

// virtual is a frontend for hosts by name: longer paths first, exact hosts before
// whole domains.
func virtual(w *strings.Builder, name, address, secure string, backends []Backend) {
	type way struct {
		host    string
		backend *Backend
	}
	var ways []way
	for i := range backends {
		for _, h := range backends[i].Rule.Hosts {
			ways = append(ways, way{h, &backends[i]})
		}
	}
	if address == "" || len(ways) == 0 {
		return
	}
	slices.SortStableFunc(ways, func(a, b way) int {
		return cmp.Or(
			cmp.Compare(strings.Count(a.host, "*"), strings.Count(b.host, "*")), cmp.Compare(len(b.host), len(a.host)),
			cmp.Compare(len(b.backend.Rule.Path), len(a.backend.Rule.Path)), cmp.Compare(a.host, b.host),
		)
	})
	fmt.Fprintf(w, "frontend %s\n  mode http\n  bind %s%s\n  option forwardfor\n", name, address, secure)
	fmt.Fprintf(w, "  http-request set-var(txn.host) req.hdr(host),field(1,:),lower\n")
	for _, v := range ways {
		condition := fmt.Sprintf("{ var(txn.host) -m str %s }", v.host)
		if domain, all := strings.CutPrefix(v.host, "*"); all {
			condition = fmt.Sprintf("{ var(txn.host) -m end %s }", domain)
		}
		if path := v.backend.Rule.Path; path != "" {
			condition += fmt.Sprintf(" { path_beg %s }", path)
		}
		if v.backend.Rule.Redirect && secure == "" {
			fmt.Fprintf(w, "  http-request redirect scheme https code 301 if %s\n", condition)
		}
		fmt.Fprintf(w, "  use_backend %s if %s\n", v.backend.Name, condition)
	}
}

func frontend(w *strings.Builder, b *Backend) {
	if b.Rule.Port == 0 {
		return
	}
	address := b.Rule.Address
	if address == "" {
		address = "*"
	}
	fmt.Fprintf(w, "frontend %s\n  mode %s\n  bind %s\n  default_backend %s\n", b.Name, b.Rule.mode(), join(address, b.Rule.Port), b.Name)
}

func (r Rule) mode() string {
	if r.HTTP {
		return "http"
	}
	return "tcp"
}

func backend(w *strings.Builder, b *Backend) {
	fmt.Fprintf(w, "backend %s\n  mode %s\n  balance %s\n", b.Name, b.Rule.mode(), b.Rule.Balance)
	if b.Rule.HTTP {
		// Only what may be sent twice is.
		w.WriteString("  option forwardfor\n  retry-on conn-failure empty-response\n  http-request disable-l7-retry unless METH_GET\n")
	}
	if b.Rule.Balance == "source" {
		w.WriteString("  hash-type consistent\n")
	}
	if b.Rule.Sticky {
		w.WriteString("  cookie TROUPE_SERVER insert indirect nocache\n")
	}
	for _, s := range b.Servers {
		for _, text := range []string{"  server ", s.Name, " ", s.parameters()} {
			w.WriteString(text)
		}
		if b.Rule.Sticky {
			w.WriteString(" cookie " + s.Name)
		}
		w.WriteByte('\n')
	}
}

// parameters of a server, as they are written in a file and told to a process.
func (s Server) parameters() string {
	return join(s.Address, s.Port) + " " + watched
}

// join is for HAProxy, which takes IPv6 in brackets, too.
func join(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }
