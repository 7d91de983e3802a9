package haproxy

// Config is what an HAProxy shall do. Lists are in a fixed order.
type Config struct {
	Settings Settings
	Backends []Backend
	// Problems are why ports are not served.
	Problems []Problem
}

// Settings are the operator's.
type Settings struct {
	// HTTP and HTTPS are the addresses where virtual hosts are served; "" is
	// nowhere. HTTPS needs Certificates, a file or folder of them as HAProxy reads
	// it.
	HTTP, HTTPS, Certificates string
	// Bind is the address of ports whose labels say none; "" is all.
	Bind string
	// MaxConnections at a time; 0 is HAProxy's own choice.
	MaxConnections int
}

// Backend is a port of an app, and where its requests go.
type Backend struct {
	Name    string // APP_PORT
	Rule    Rule
	Servers []Server // those that are to be used
}

// Rule says how a port is served.
type Rule struct {
	Address  string // with Port; "" is all
	Port     int    // 0: only by virtual hosts
	HTTP     bool   // else TCP
	Balance  string
	Sticky   bool
	Redirect bool // to HTTPS
	Hosts    []string
	Path     string // prefix, of Hosts; "" is all
}

// Server is an instance.
type Server struct {
	Name    string // the task's id
	Address string
	Port    int
}

// Problem keeps a port from being served.
type Problem struct {
	App   string // or its backend; "" for that of virtual hosts
	Index int    // of the app's port; -1 where it does not matter
	Text  string
}

// running is what the HAProxy that runs does: its backends, as they were when it
// was last reloaded, and what became of their servers since.
type running struct {
	settings Settings
	rules    map[string]Rule // by backend
	servers  map[string]map[string]*standing
	// settled has the servers that were wanted of a backend when nothing was left to
	// be done for them. Lists that are the very same need no look.
	settled map[string][]Server
	usage   *usage
}

// standing is a server of the running process.
type standing struct {
	Server
	state state
}

// state of a server in the running process.
type state string

// The states, in HAProxy's words.
const (
	ready state = "ready"
	// drain: what has begun may finish, nothing new begins.
	drain state = "drain"
	// maintenance: it is to be deleted when nothing of it is left.
	maintenance state = "maint"
)

// newRunning is what a process does that has just read c.
func newRunning(c Config, u *usage) *running {
	r := &running{
		settings: c.Settings, rules: map[string]Rule{}, servers: map[string]map[string]*standing{},
		settled: map[string][]Server{}, usage: u,
	}
	u.begin()
	for i := range c.Backends {
		b := &c.Backends[i]
		servers := map[string]*standing{}
		for _, s := range b.Servers {
			servers[s.Name] = &standing{s, ready}
			u.change(s.Name, 1)
		}
		r.rules[b.Name], r.servers[b.Name], r.settled[b.Name] = b.Rule, servers, b.Servers
	}
	return r
}

// same tells whether c differs in nothing but servers.
func (r *running) same(c Config) bool {
	if r.settings != c.Settings || len(r.rules) != len(c.Backends) {
		return false
	}
	for i := range c.Backends {
		rule, known := r.rules[c.Backends[i].Name]
		if !known || !rule.equal(c.Backends[i].Rule) {
			return false
		}
	}
	return true
}

// set takes note of a server's state.
func (r *running) set(s *standing, to state) {
	if s.state == ready {
		r.usage.change(s.Name, -1)
	}
	if s.state = to; to == ready {
		r.usage.change(s.Name, 1)
	}
}

// sameList tells whether two lists are the very same one.
func sameList(a, b []Server) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
