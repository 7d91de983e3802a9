package haproxy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

func withLabels(pairs ...string) *endpoints.Service {
	s := &endpoints.Service{App: "/prod/web", Labels: map[string]string{}, Ports: []endpoints.Port{{ServicePort: 10000, Protocols: []string{"tcp"}}}}
	for i := 0; i < len(pairs); i += 2 {
		s.Labels[pairs[i]] = pairs[i+1]
	}
	s.Endpoints = []endpoints.Endpoint{
		{Task: "prod_web.1", Status: endpoints.Live, Targets: []endpoints.Target{{Address: "10.0.0.1", Port: 31000}}},
		{Task: "prod_web.2", Status: endpoints.Draining, Targets: []endpoints.Target{{Address: "10.0.0.2", Port: 31000}}},
	}
	return s
}

func TestLabels(t *testing.T) {
	group := []string{"HAPROXY_GROUP", "external"}
	for name, c := range map[string]struct {
		labels []string
		want   string // the rule, or what is wrong; "" is not served, and nobody minds
	}{
		"none":                  {nil, ""},
		"another group":         {[]string{"HAPROXY_GROUP", "internal"}, ""},
		"one of its groups":     {[]string{"HAPROXY_GROUP", "internal, external"}, "{ 10000 false roundrobin false false [] }"},
		"group of the port":     {[]string{"HAPROXY_GROUP", "internal", "HAPROXY_0_GROUP", "external"}, "{ 10000 false roundrobin false false [] }"},
		"another one's":         {append(group, "HAPROXY_0_GROUP", "internal"), ""},
		"disabled":              {append(group, "HAPROXY_0_ENABLED", "false"), ""},
		"enabled":               {append(group, "HAPROXY_0_ENABLED", "True"), "{ 10000 false roundrobin false false [] }"},
		"plain":                 {group, "{ 10000 false roundrobin false false [] }"},
		"mode":                  {append(group, "HAPROXY_0_MODE", "http"), "{ 10000 true roundrobin false false [] }"},
		"another port's":        {append(group, "HAPROXY_1_MODE", "http"), "{ 10000 false roundrobin false false [] }"},
		"bad mode":              {append(group, "HAPROXY_0_MODE", "udp"), `label HAPROXY_0_MODE is "udp", which is not tcp or http`},
		"port":                  {append(group, "HAPROXY_0_PORT", "80"), "{ 80 false roundrobin false false [] }"},
		"bad port":              {append(group, "HAPROXY_0_PORT", "65536"), `label HAPROXY_0_PORT is "65536", which is not a port`},
		"address":               {append(group, "HAPROXY_0_BIND_ADDR", "::1"), "{::1 10000 false roundrobin false false [] }"},
		"all addresses":         {append(group, "HAPROXY_0_BIND_ADDR", "*"), "{ 10000 false roundrobin false false [] }"},
		"bad address":           {append(group, "HAPROXY_0_BIND_ADDR", "1.2.3.4 ssl"), "is not an address"},
		"address in a zone":     {append(group, "HAPROXY_0_BIND_ADDR", "fe80::1%a b"), "is not an address"},
		"hosts":                 {append(group, "HAPROXY_0_VHOST", "b.x, A.x,,a.x"), "{ 10000 true roundrobin false false [a.x b.x] }"},
		"path":                  {append(group, "HAPROXY_0_VHOST", "*.x", "HAPROXY_0_PATH", "/a/b-c_d.~"), "{ 10000 true roundrobin false false [*.x] /a/b-c_d.~}"},
		"root":                  {append(group, "HAPROXY_0_VHOST", "x", "HAPROXY_0_PATH", "/"), "{ 10000 true roundrobin false false [x] }"},
		"path of no host":       {append(group, "HAPROXY_0_PATH", "/a"), "is not allowed without a VHOST"},
		"bad path":              {append(group, "HAPROXY_0_VHOST", "x", "HAPROXY_0_PATH", "/a }\nlua-load x"), "is not the beginning of a path"},
		"bad host":              {append(group, "HAPROXY_0_VHOST", "x }"), "is not the name of a host"},
		"host and tcp":          {append(group, "HAPROXY_0_VHOST", "x", "HAPROXY_0_MODE", "tcp"), "is not possible with a VHOST"},
		"sticky":                {append(group, "HAPROXY_0_MODE", "http", "HAPROXY_0_STICKY", "true"), "{ 10000 true roundrobin true false [] }"},
		"not sticky":            {append(group, "HAPROXY_0_STICKY", "false"), "{ 10000 false roundrobin false false [] }"},
		"sticky tcp":            {append(group, "HAPROXY_0_STICKY", "true"), "is not possible in mode tcp"},
		"balance":               {append(group, "HAPROXY_0_BALANCE", "leastconn"), "{ 10000 false leastconn false false [] }"},
		"bad balance":           {append(group, "HAPROXY_0_BALANCE", "uri whole"), "is not one of roundrobin, leastconn, random, source"},
		"redirect":              {append(group, "HAPROXY_0_VHOST", "x", "HAPROXY_0_REDIRECT_TO_HTTPS", "true"), "{ 10000 true roundrobin false true [x] }"},
		"port of virtual hosts": {append(group, "HAPROXY_0_PORT", "443"), "port 443 is served for virtual_https already"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Build([]*endpoints.Service{withLabels(c.labels...)}, []string{"external"}, Settings{HTTP: "*:80000", HTTPS: ":443", Certificates: "/c"})
			text := ""
			if len(got.Problems) > 0 {
				text = got.Problems[0].Text
			} else if len(got.Backends) > 0 {
				text = fmt.Sprint(got.Backends[0].Rule)
			}
			if !strings.Contains(text, c.want) || (text == "") != (c.want == "") {
				t.Errorf("%s, want %s", text, c.want)
			}
			if len(got.Backends) == 1 && !slices.Equal(got.Backends[0].Servers, []Server{{"prod_web.1", "10.0.0.1", 31000}}) {
				t.Error(got.Backends[0].Servers)
			}
		})
	}
	if got := Build([]*endpoints.Service{withLabels("HAPROXY_GROUP", "x")}, []string{"*"}, Settings{}); len(got.Backends) != 1 {
		t.Error(got)
	}
}

func TestWhatCannotBeServed(t *testing.T) {
	s := withLabels("HAPROXY_GROUP", "external", "HAPROXY_1_PORT", "10000", "HAPROXY_1_BIND_ADDR", "127.0.0.1", "HAPROXY_3_PORT", "10000")
	s.Ports = append(s.Ports,
		endpoints.Port{Protocols: []string{"tcp", "udp"}}, endpoints.Port{ServicePort: 1, Protocols: []string{"udp"}},
		endpoints.Port{Protocols: []string{"tcp"}}, endpoints.Port{Protocols: []string{"tcp"}},
	)
	s.Endpoints[0].Targets = []endpoints.Target{{Address: "node 1", Port: 1}, {Address: "node-1.x", Port: 2}}
	s.Endpoints[1] = endpoints.Endpoint{Task: "a b", Status: endpoints.Live, Targets: []endpoints.Target{{Address: "::1", Port: 1}, {Address: "::1", Port: 0}}}
	got := Build([]*endpoints.Service{s}, []string{"external"}, Settings{Bind: "*"})
	if len(got.Backends) != 2 || len(got.Backends[0].Servers) != 0 || len(got.Backends[1].Servers) != 1 || got.Backends[1].Name != "prod_web_10000_1" {
		t.Errorf("%+v", got.Backends)
	}
	if len(got.Problems) != 2 || got.Problems[0].Index != 3 || got.Problems[1].Text != "there is neither a service port nor a virtual host" {
		t.Errorf("%+v", got.Problems)
	}
}

func TestRender(t *testing.T) {
	shop := withLabels("HAPROXY_GROUP", "external", "HAPROXY_0_VHOST", "shop.x,*.x", "HAPROXY_0_REDIRECT_TO_HTTPS", "true", "HAPROXY_0_STICKY", "true", "HAPROXY_0_BALANCE", "source")
	cart := withLabels("HAPROXY_GROUP", "external", "HAPROXY_0_VHOST", "shop.x", "HAPROXY_0_PATH", "/cart", "HAPROXY_0_PORT", "7")
	cart.App = "/cart"
	bad := withLabels("HAPROXY_GROUP", "external", "HAPROXY_0_PORT", "x\ny")
	bad.App = "/bad"
	got := Render(Build([]*endpoints.Service{shop, cart, bad}, []string{"external"}, Settings{
		HTTP: "*:80", HTTPS: "*:443", Certificates: "/certs", Bind: "127.0.0.1", MaxConnections: 9,
	}))
	want := fmt.Sprintf(preamble, "global\n  hard-stop-after 1h\n  close-spread-time 5s\n  maxconn 9\n") + `# "/bad" port 0 is not served: "label HAPROXY_0_PORT is \"x\\ny\", which is not a port"
frontend virtual_http
  mode http
  bind *:80
  option forwardfor
  http-request set-var(txn.host) req.hdr(host),field(1,:),lower
  use_backend cart_7 if { var(txn.host) -m str shop.x } { path_beg /cart }
  http-request redirect scheme https code 301 if { var(txn.host) -m str shop.x }
  use_backend prod_web_10000 if { var(txn.host) -m str shop.x }
  http-request redirect scheme https code 301 if { var(txn.host) -m end .x }
  use_backend prod_web_10000 if { var(txn.host) -m end .x }
frontend virtual_https
  mode http
  bind *:443 ssl crt /certs alpn h2,http/1.1
  option forwardfor
  http-request set-var(txn.host) req.hdr(host),field(1,:),lower
  use_backend cart_7 if { var(txn.host) -m str shop.x } { path_beg /cart }
  use_backend prod_web_10000 if { var(txn.host) -m str shop.x }
  use_backend prod_web_10000 if { var(txn.host) -m end .x }
frontend prod_web_10000
  mode http
  bind 127.0.0.1:10000
  default_backend prod_web_10000
backend prod_web_10000
  mode http
  balance source
  option forwardfor
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless METH_GET
  hash-type consistent
  cookie TROUPE_SERVER insert indirect nocache
  server prod_web.1 10.0.0.1:31000 check inter 2s fastinter 500ms fall 2 rise 1 observe layer4 error-limit 3 on-error mark-down cookie prod_web.1
frontend cart_7
  mode http
  bind 127.0.0.1:7
  default_backend cart_7
backend cart_7
  mode http
  balance roundrobin
  option forwardfor
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless METH_GET
  server prod_web.1 10.0.0.1:31000 check inter 2s fastinter 500ms fall 2 rise 1 observe layer4 error-limit 3 on-error mark-down
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCheckRefusesNonsense(t *testing.T) {
	k := &Keeper{options: Options{Program: DefaultProgram}}
	path := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(path, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.check(t.Context(), path); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Error(err)
	}
}

// Whatever labels say, HAProxy can read what comes of it, and nothing of them is in it
// that was not checked.
func TestAnyLabelsMakeAReadableConfiguration(t *testing.T) {
	k := &Keeper{options: Options{Program: DefaultProgram}}
	dir := t.TempDir()
	var texts []string
	rapid.Check(t, func(t *rapid.T) { texts = append(texts, anyConfig(t)) })
	for i, text := range texts[:min(len(texts), 40)] {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := k.check(t.Context(), path); err != nil {
			t.Fatalf("%s\n%s", err, text)
		}
	}
}

func anyConfig(t *rapid.T) string {
	value := rapid.OneOf(
		rapid.SampledFrom([]string{"external", "true", "http", "tcp", "80", "8080", "127.0.0.1", "::1", "a.example.com", "*.example.com", "/a", "leastconn", "source"}),
		rapid.String(), rapid.StringMatching(`[a-z*./ {}#\n-]{1,20}`),
	)
	var services []*endpoints.Service
	for i := range rapid.IntRange(0, 4).Draw(t, "services") {
		s := withLabels("HAPROXY_GROUP", "external")
		s.App, s.Ports[0].ServicePort = app.Path(fmt.Sprintf("/app-%d", i)), 10000+i
		for _, name := range []string{"MODE", "PORT", "BIND_ADDR", "VHOST", "PATH", "BALANCE", "STICKY", "REDIRECT_TO_HTTPS"} {
			if rapid.IntRange(0, 2).Draw(t, "has") == 0 {
				s.Labels["HAPROXY_0_"+name] = value.Draw(t, name)
			}
		}
		services = append(services, s)
	}
	c := Build(services, []string{"external"}, Settings{HTTP: "*:81", Bind: "127.0.0.1"})
	if len(c.Backends)+len(c.Problems) != len(services) {
		t.Fatalf("%d services, %d are served, %d are not", len(services), len(c.Backends), len(c.Problems))
	}
	return Render(c)
}

// fleet is many apps with 25 instances each.
func fleet(apps int) []*endpoints.Service {
	var services []*endpoints.Service
	for i := range apps {
		s := withLabels("HAPROXY_GROUP", "external", "HAPROXY_0_MODE", "http")
		s.App, s.Ports[0].ServicePort, s.Endpoints = app.Path(fmt.Sprintf("/group/app-%d", i)), 10000+i, nil
		for n := range 25 {
			s.Endpoints = append(s.Endpoints, endpoints.Endpoint{
				Task: fmt.Sprintf("group_app-%d.%036d", i, n), Status: endpoints.Live, Targets: []endpoints.Target{{Address: "10.0.0.1", Port: 31000 + n}},
			})
		}
		services = append(services, s)
	}
	return services
}

// What one change among 50,000 instances costs.
func BenchmarkBuild(b *testing.B) {
	services := fleet(2000)
	var c cache
	for b.Loop() {
		c.build(services, []string{"external"}, Settings{})
	}
}

func BenchmarkRender(b *testing.B) {
	c := Build(fleet(2000), []string{"external"}, Settings{})
	for b.Loop() {
		Render(c)
	}
}

func BenchmarkStepsOfMany(b *testing.B) {
	services := fleet(2000)
	r := newRunning(Build(services, []string{"external"}, Settings{}), &usage{})
	services[1000].Endpoints = services[1000].Endpoints[1:]
	c := Build(services, []string{"external"}, Settings{})
	for b.Loop() {
		if steps, enough := r.steps(c); len(steps) != 1 || !enough {
			b.Fatal(steps)
		}
	}
}
