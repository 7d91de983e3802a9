package dns

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

// fixed is a directory that a test writes.
type fixed struct {
	mu       sync.Mutex
	services map[app.Path]*endpoints.Service
	watchers []func(app.Path, bool)
}

func (f *fixed) Services() []*endpoints.Service {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*endpoints.Service
	for _, s := range f.services {
		list = append(list, s)
	}
	return list
}

func (f *fixed) Service(id app.Path) *endpoints.Service {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.services[id]
}

func (f *fixed) Watch(changed func(app.Path, bool)) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers = append(f.watchers, changed)
	return func() {}
}

func (f *fixed) set(s *endpoints.Service) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.services[s.App] = s
	for _, w := range f.watchers {
		w(s.App, true)
	}
}

func (f *fixed) remove(id app.Path) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.services, id)
	for _, w := range f.watchers {
		w(id, false)
	}
}

// serviceOf has a tcp port called http, and a udp port, at each address.
func serviceOf(id app.Path, addresses ...string) *endpoints.Service {
	s := &endpoints.Service{App: id, Ports: []endpoints.Port{
		{Name: "HTTP", ServicePort: 10000, Protocols: []string{"tcp"}}, {ServicePort: 10001, Protocols: []string{"udp"}},
	}}
	for i, a := range addresses {
		s.Endpoints = append(s.Endpoints, endpoints.Endpoint{
			Task: fmt.Sprintf("%s.u%d", id.Flat(), i), Status: endpoints.Live,
			Targets: []endpoints.Target{{Address: a, Port: 31000 + i}, {Address: a, Port: 32000 + i}},
		})
	}
	return s
}

func directory(services ...*endpoints.Service) *fixed {
	f := &fixed{services: map[app.Path]*endpoints.Service{}}
	for _, s := range services {
		f.set(s)
	}
	return f
}

// run has a server answer for as long as the test lasts.
func run(t *testing.T, d Directory, o Options) *Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask(t *testing.T, s *Server, network string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: 10 * time.Second}
	r, _, err := c.Exchange(q, s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told is an answer in short: the code, and the records in order.
func told(r *dns.Msg) string {
	list := []string{}
	for _, rr := range r.Answer {
		text := strings.Join(strings.Fields(rr.String())[3:], " ")
		list = append(list, text)
	}
	slices.Sort(list)
	if len(r.Ns) > 0 {
		list = append(list, "| "+dns.TypeToString[r.Ns[0].Header().Rrtype])
	}
	return strings.Join(append([]string{dns.RcodeToString[r.Rcode]}, list...), " ")
}

func TestAnswers(t *testing.T) {
	ill := serviceOf("/ill", "10.0.0.9")
	ill.Endpoints[0].Status = endpoints.Unhealthy
	named := serviceOf("/named", "node1.example")
	s := run(t, directory(
		serviceOf("/prod/web", "10.0.0.1", "10.0.0.2"), serviceOf("/six", "fd00::1", "10.0.0.3"), ill, named,
		serviceOf("/a/b", "10.0.0.4"), serviceOf("/b-a", "10.0.0.5"), serviceOf("/test/web.api", "10.0.0.6"),
	), Options{})
	for question, want := range map[string]string{
		"web.prod A":               "NOERROR A 10.0.0.1 A 10.0.0.2",
		"WEB.Prod A":               "NOERROR A 10.0.0.1 A 10.0.0.2",
		"web-prod A":               "NOERROR A 10.0.0.1 A 10.0.0.2",
		"web.prod AAAA":            "NOERROR | SOA",
		"web.prod SRV":             "NOERROR | SOA",
		"six A":                    "NOERROR A 10.0.0.3",
		"six AAAA":                 "NOERROR AAAA fd00::1",
		"ill A":                    "NOERROR | SOA",
		"_ill._tcp SRV":            "NOERROR | SOA",
		"u0.ill A":                 "NOERROR A 10.0.0.9",
		"u1.web.prod A":            "NOERROR A 10.0.0.2",
		"u2.web.prod A":            "NXDOMAIN | SOA",
		"prod A":                   "NOERROR | SOA",
		"od A":                     "NXDOMAIN | SOA",
		"none A":                   "NXDOMAIN | SOA",
		"a.none AAAA":              "NXDOMAIN | SOA",
		"_web-prod._tcp SRV":       "NOERROR SRV 0 1 31000 u0.web.prod.service.troupe. SRV 0 1 31001 u1.web.prod.service.troupe.",
		"_web-prod._udp SRV":       "NOERROR SRV 0 1 32000 u0.web.prod.service.troupe. SRV 0 1 32001 u1.web.prod.service.troupe.",
		"_HTTP._web-prod._tcp SRV": "NOERROR SRV 0 1 31000 u0.web.prod.service.troupe. SRV 0 1 31001 u1.web.prod.service.troupe.",
		"_http._web-prod._udp SRV": "NXDOMAIN | SOA",
		"_x._web-prod._tcp SRV":    "NXDOMAIN | SOA",
		"x._web-prod._tcp SRV":     "NXDOMAIN | SOA",
		"_web-prod._tcp A":         "NOERROR | SOA",
		"_none._tcp SRV":           "NXDOMAIN | SOA",
		"_tcp SRV":                 "NOERROR | SOA",
		"_sctp SRV":                "NXDOMAIN | SOA",
		"_a._b._c._tcp SRV":        "NXDOMAIN | SOA",
		"_x.web.prod A":            "NXDOMAIN | SOA",
		"named A":                  "NOERROR | SOA",
		"_named._tcp SRV":          "NOERROR SRV 0 1 31000 node1.example.",
		"b.a A":                    "NOERROR A 10.0.0.4",
		"b-a A":                    "NOERROR A 10.0.0.5",
		"_b-a._tcp SRV":            "NOERROR SRV 0 1 31000 u0.b.a.service.troupe.",
		"web.api.test A":           "NOERROR A 10.0.0.6",
		"api.test A":               "NOERROR | SOA",
		"web-api-test A":           "NOERROR A 10.0.0.6",
		" SOA":                     "NOERROR SOA ns.service.troupe. hostmaster.service.troupe. 7 60 10 3600 5",
		" NS":                      "NOERROR NS ns.service.troupe.",
		" A":                       "NOERROR | SOA",
		"ns A":                     "NOERROR | SOA",
		"web.prod ANY":             `NOERROR HINFO "RFC8482" ""`,
		" AXFR":                    "REFUSED",
	} {
		name, kind, _ := strings.Cut(question, " ")
		for _, network := range []string{"udp", "tcp"} {
			q := new(dns.Msg).SetQuestion(strings.TrimPrefix(name+".service.troupe.", "."), dns.StringToType[kind])
			r := ask(t, s, network, q)
			if got := told(r); got != want {
				t.Errorf("%s over %s: %s, want %s", question, network, got, want)
			}
			if r.Question[0] != q.Question[0] || r.Authoritative == (r.Rcode == dns.RcodeRefused) || r.RecursionAvailable || r.Truncated {
				t.Errorf("%s: %s", question, r)
			}
		}
	}
	for _, foreign := range []string{"example.", "troupe.", "xservice.troupe.", "."} {
		if r := ask(t, s, "udp", new(dns.Msg).SetQuestion(foreign, dns.TypeA)); told(r) != "REFUSED" {
			t.Errorf("%s: %s", foreign, r)
		}
	}
	chaos := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	if r := ask(t, s, "udp", chaos); told(r) != "REFUSED" {
		t.Error(r)
	}
}

func TestWhereServicesLeadIsToldBeside(t *testing.T) {
	s := run(t, directory(serviceOf("/web", "10.0.0.1", "fd00::2")), Options{Domain: "Example.ORG", TTL: time.Minute})
	r := ask(t, s, "udp", new(dns.Msg).SetQuestion("_web._tcp.example.org.", dns.TypeSRV))
	var extra []string
	for _, rr := range r.Extra {
		extra = append(extra, strings.Join(strings.Fields(rr.String()), " "))
	}
	if want := []string{"u0.web.example.org. 60 IN A 10.0.0.1", "u1.web.example.org. 60 IN AAAA fd00::2"}; !slices.Equal(extra, want) {
		t.Errorf("%q, want %q", extra, want)
	}
	if ttl := run(t, directory(), Options{TTL: -1}).ttl; ttl != 0 {
		t.Error(ttl)
	}
}

func TestChanges(t *testing.T) {
	d := directory(serviceOf("/prod/web", "10.0.0.1"))
	s := run(t, d, Options{})
	expect := func(name, want string) {
		t.Helper()
		if got := told(ask(t, s, "udp", new(dns.Msg).SetQuestion(name+".service.troupe.", dns.TypeA))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	expect("web.prod", "NOERROR A 10.0.0.1")
	d.set(serviceOf("/prod/web", "10.0.0.2"))
	d.set(serviceOf("/prod/db", "10.0.0.3"))
	expect("web.prod", "NOERROR A 10.0.0.2")
	expect("db.prod", "NOERROR A 10.0.0.3")
	d.remove("/prod/web")
	expect("web.prod", "NXDOMAIN | SOA")
	expect("web-prod", "NXDOMAIN | SOA")
	expect("prod", "NOERROR | SOA")
	d.remove("/prod/db")
	d.remove("/prod/db")
	expect("prod", "NXDOMAIN | SOA")
	if z := s.zone; len(z.dotted)+len(z.dashed)+len(z.parents) != 0 {
		t.Errorf("%v %v %v are left", z.dotted, z.dashed, z.parents)
	}
	d.set(serviceOf("/a/b", "10.0.0.1"))
	d.set(serviceOf("/b.a", "10.0.0.2"))
	expect("b.a", "NOERROR A 10.0.0.1")
	d.remove("/a/b")
	expect("b.a", "NOERROR A 10.0.0.2")
}

func TestNamesThatDNSCannotHave(t *testing.T) {
	long := app.Path("/" + strings.Repeat("a", 64))
	deep := app.Path(strings.Repeat("/"+strings.Repeat("b", 40), 4) + "/c")
	s := run(t, directory(serviceOf(long, "10.0.0.1"), serviceOf(deep, "10.0.0.2")), Options{})
	if r := ask(t, s, "udp", new(dns.Msg).SetQuestion(deep.Host()+".service.troupe.", dns.TypeA)); told(r) != "NOERROR A 10.0.0.2" {
		t.Error(r)
	}
	if len(s.zone.dotted) != 1 || len(s.zone.dashed) != 0 {
		t.Error(s.zone.dotted, s.zone.dashed)
	}
}

func TestTruncation(t *testing.T) {
	var addresses []string
	for i := range 400 {
		addresses = append(addresses, fmt.Sprintf("10.0.%d.%d", i/250, i%250+1))
	}
	s := run(t, directory(serviceOf("/web", addresses...)), Options{})
	for _, c := range []struct {
		edns    uint16 // 0: none
		network string
		most    int
	}{{0, "udp", 512}, {100, "udp", 512}, {900, "udp", 900}, {4096, "udp", 1232}, {0, "tcp", 65535}, {4096, "tcp", 65535}} {
		for _, kind := range []uint16{dns.TypeA, dns.TypeSRV} {
			name := "web.service.troupe."
			if kind == dns.TypeSRV {
				name = "_web._tcp.service.troupe."
			}
			q := new(dns.Msg).SetQuestion(name, kind)
			if c.edns > 0 {
				q.SetEdns0(c.edns, true)
			}
			client := dns.Client{Net: c.network, UDPSize: 65535, Timeout: 10 * time.Second}
			r, _, err := client.Exchange(q, s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			r.Compress = true
			size, complete := r.Len(), len(r.Answer) == len(addresses)
			if size > c.most || complete != (c.network == "tcp") || r.Truncated == complete || (r.IsEdns0() != nil) != (c.edns > 0) {
				t.Errorf("%+v %s: %d bytes, %d records, TC %t, EDNS %v", c, dns.TypeToString[kind], size, len(r.Answer), r.Truncated, r.IsEdns0())
			}
		}
	}
	odd := new(dns.Msg).SetQuestion("web.service.troupe.", dns.TypeA)
	odd.SetEdns0(1232, false)
	odd.IsEdns0().SetVersion(1)
	if r := ask(t, s, "udp", odd); r.Rcode != dns.RcodeBadVers || len(r.Answer) > 0 {
		t.Error(r)
	}
}

// The resolver of Go itself finds its way.
func TestRealResolver(t *testing.T) {
	s := run(t, directory(serviceOf("/prod/web", "10.0.0.1", "fd00::2")), Options{})
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
	}}
	hosts, err := r.LookupHost(t.Context(), "web.prod.service.troupe.")
	slices.Sort(hosts)
	if err != nil || !slices.Equal(hosts, []string{"10.0.0.1", "fd00::2"}) {
		t.Error(hosts, err)
	}
	_, list, err := r.LookupSRV(t.Context(), "web-prod", "tcp", "service.troupe.")
	if err != nil || len(list) != 2 || list[0].Port+list[1].Port != 31000+31001 {
		t.Error(list, err)
	}
	if _, err := r.LookupHost(t.Context(), "none.service.troupe."); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"domain": {Domain: strings.Repeat("a.", 40), Listen: "127.0.0.1:0"}, "dns: listen: ": {Listen: "nowhere"},
	} {
		if _, err := New(directory(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	s, err := New(directory(), Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(directory(), Options{Listen: s.Addr().String()}); err == nil {
		t.Error("two servers on one port")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Run(t.Context()); err == nil {
		t.Error("a closed server runs")
	}
}

func TestAnswersAreCounted(t *testing.T) {
	seen := make(chan string, 1)
	s := run(t, directory(), Options{Answered: func(kind, code string) { seen <- kind + " " + code }})
	ask(t, s, "tcp", new(dns.Msg).SetQuestion("x.service.troupe.", 65280))
	if got := <-seen; got != "other NXDOMAIN" {
		t.Error(got)
	}
}

// More connections than there are places wait, and get theirs when others leave.
func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &limited{inner, make(chan struct{}, 1)}
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("both were accepted")
	default:
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	second := <-accepted
	_ = first.Close() // again: no second place comes of it
	if len(l.places) != 1 {
		t.Error(len(l.places))
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for range accepted { // ends
		t.Error("accepted after it was closed")
	}
}

// Whatever is asked, there is an answer that can be sent, no longer than the client
// takes.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"web.prod.service.troupe.", "_web-prod._tcp.service.troupe.", ".", "_._tcp.service.troupe."} {
		q := new(dns.Msg).SetQuestion(name, dns.TypeSRV)
		q.SetEdns0(4096, true)
		text, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	s, err := New(directory(serviceOf("/prod/web", "10.0.0.1", "fd00::1", "node")), Options{Listen: "127.0.0.1:0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, text []byte) {
		q := new(dns.Msg)
		if q.Unpack(text) != nil {
			return
		}
		for _, udp := range []bool{true, false} {
			out, err := s.answer(q, udp).Pack()
			if err != nil {
				t.Fatalf("%s\n%s", err, q)
			}
			if udp && len(out) > udpSize {
				t.Fatalf("%d bytes for\n%s", len(out), q)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	d := directory()
	for i := range 2000 {
		d.set(serviceOf(app.Path(fmt.Sprintf("/group-%d/app-%d", i%20, i)), "10.0.0.1", "10.0.0.2", "10.0.0.3"))
	}
	s, err := New(d, Options{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	q := new(dns.Msg).SetQuestion("_app-7-group-7._tcp.service.troupe.", dns.TypeSRV)
	for b.Loop() {
		if r := s.answer(q, true); len(r.Answer) != 3 {
			b.Fatal(r)
		}
	}
}
