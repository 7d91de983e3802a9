package haproxy

import "maps"

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

// Problem keeps a port of an app from being served.
type Problem struct {
	App   string
	Index int // of the port
	Text  string
}

// running is what the HAProxy that runs does: its backends, as they were when it
// was last reloaded, and what became of their servers since.
type running struct {
	settings Settings
	backends map[string]Backend // without servers
	servers  map[string]map[string]*standing
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

func newRunning(c Config) *running {
	r := &running{settings: c.Settings, backends: map[string]Backend{}, servers: map[string]map[string]*standing{}}
	for _, b := range c.Backends {
		servers := map[string]*standing{}
		for _, s := range b.Servers {
			servers[s.Name] = &standing{s, ready}
		}
		b.Servers = nil
		r.backends[b.Name], r.servers[b.Name] = b, servers
	}
	return r
}

// same tells whether c differs in nothing but servers.
func (r *running) same(c Config) bool {
	return r.settings == c.Settings && maps.EqualFunc(r.backends, newRunning(c).backends, func(a, b Backend) bool {
		return a.Rule.equal(b.Rule)
	})
}
