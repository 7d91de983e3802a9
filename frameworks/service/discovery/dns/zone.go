package dns

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

// Directory has the services.
type Directory interface {
	Services() []*endpoints.Service
	Service(id app.Path) *endpoints.Service
	// Watch has the path of every app told that changed, and whether it is there
	// still. The function does not wait, nor call the directory.
	Watch(changed func(id app.Path, there bool)) (stop func())
}

// zone knows which names there are. Safe for use from any goroutine.
type zone struct {
	directory Directory

	mu sync.Mutex
	// serial counts changes.
	serial uint32
	// dotted and dashed are the apps that are called so, those that count first.
	dotted, dashed map[string][]app.Path
	// parents counts the names below each that is not the zone itself.
	parents map[string]int
	// told has the apps that were told of before the first ones were read; nil
	// afterwards.
	told map[app.Path]bool
}

func newZone(d Directory) (z *zone, stop func()) {
	z = &zone{
		directory: d, dotted: map[string][]app.Path{}, dashed: map[string][]app.Path{}, parents: map[string]int{},
		told: map[app.Path]bool{},
	}
	stop = d.Watch(z.changed)
	services := d.Services()
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range services {
		if !z.told[s.App] {
			z.set(s.App, true)
		}
	}
	z.told = nil
	return z, stop
}

func (z *zone) changed(id app.Path, there bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.told != nil {
		z.told[id] = true
	}
	z.set(id, there)
}

func (z *zone) set(id app.Path, there bool) {
	z.serial++
	name := id.Host()
	switch known := slices.Contains(z.dotted[name], id); {
	case there && !known && speakable(name):
		z.add(id, name)
	case !there && known:
		z.forget(id, name)
	}
}

func (z *zone) add(id app.Path, name string) {
	z.dotted[name] = insert(z.dotted[name], id)
	if one := dash(name); len(one) < longestLabel {
		z.dashed[one] = insert(z.dashed[one], id)
	}
	for at := parent(name); at != ""; at = parent(at) {
		z.parents[at]++
	}
}

func (z *zone) forget(id app.Path, name string) {
	remove(z.dotted, name, id)
	remove(z.dashed, dash(name), id)
	for at := parent(name); at != ""; at = parent(at) {
		if z.parents[at]--; z.parents[at] == 0 {
			delete(z.parents, at)
		}
	}
}

func insert(list []app.Path, id app.Path) []app.Path {
	at, found := slices.BinarySearch(list, id)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), at, id)
}

func remove(m map[string][]app.Path, name string, id app.Path) {
	list := slices.DeleteFunc(slices.Clone(m[name]), func(o app.Path) bool { return o == id })
	if m[name] = list; len(list) == 0 {
		delete(m, name)
	}
}

func (z *zone) number() uint32 {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.serial
}

// find is the service of the first app of those that are called so in m.
func (z *zone) find(m map[string][]app.Path, name string) *endpoints.Service {
	z.mu.Lock()
	list := m[name]
	z.mu.Unlock()
	for _, id := range list {
		if s := z.directory.Service(id); s != nil {
			return s
		}
	}
	return nil
}

// inner tells whether a name is only there because of those below it.
func (z *zone) inner(name string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.parents[name] > 0
}

const (
	longestLabel = 63
	longestName  = 180 // leaves room for a domain, and the names of instances
)

// speakable tells whether DNS can have the name.
func speakable(name string) bool {
	if name == "" || len(name) > longestName {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) > longestLabel {
			return false
		}
	}
	return true
}

// dash makes one label of a name.
func dash(name string) string { return strings.ReplaceAll(name, ".", "-") }

// parent is a name without its first label, "" for one label.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// node is what there is at a name; nil is no such name.
type node struct {
	addresses []netip.Addr
	services  []service
}

// service is what an SRV record says.
type service struct {
	target string // name of an instance, relative to the zone; "" leads to host
	host   string
	port   uint16
	at     netip.Addr // of target
}

// lookup finds a name that is relative to the zone, in lower case and not empty.
func (z *zone) lookup(name string) *node {
	if strings.HasPrefix(name, "_") {
		return z.lookupService(name)
	}
	s := z.find(z.dotted, name)
	if s == nil {
		s = z.find(z.dashed, name)
	}
	if s != nil {
		n := &node{}
		for _, e := range s.Live() {
			n.add(e)
		}
		return n
	}
	first, rest, _ := strings.Cut(name, ".")
	if s := z.find(z.dotted, rest); s != nil {
		for _, e := range s.Endpoints {
			if instance(e) == first {
				n := &node{}
				n.add(e)
				return n
			}
		}
	}
	if z.inner(name) {
		return &node{}
	}
	return nil
}

// add adds the addresses of an endpoint, each once.
func (n *node) add(e endpoints.Endpoint) {
	for _, t := range e.Targets {
		if ip, err := netip.ParseAddr(t.Address); err == nil && !slices.Contains(n.addresses, ip) {
			n.addresses = append(n.addresses, ip)
		}
	}
}

// instance is the label of an instance.
func instance(e endpoints.Endpoint) string { return e.Task[strings.LastIndexByte(e.Task, '.')+1:] }

// lookupService finds "_app._tcp" and "_port._app._tcp".
func (z *zone) lookupService(name string) *node {
	labels := strings.Split(name, ".")
	protocol := strings.TrimPrefix(labels[len(labels)-1], "_")
	if protocol != "tcp" && protocol != "udp" || len(labels) > 3 {
		return nil
	}
	if len(labels) == 1 {
		return &node{}
	}
	s := z.find(z.dashed, strings.TrimPrefix(labels[len(labels)-2], "_"))
	if s == nil || !strings.HasPrefix(labels[len(labels)-2], "_") {
		return nil
	}
	var n *node
	for i, p := range s.Ports {
		if !slices.Contains(p.Protocols, protocol) || len(labels) == 3 && "_"+strings.ToLower(p.Name) != labels[0] {
			continue
		}
		if n == nil {
			n = &node{}
		}
		n.addPort(s, i)
	}
	return n
}

// addPort adds where a port of a service is reached.
func (n *node) addPort(s *endpoints.Service, i int) {
	for _, e := range s.Live() {
		if i >= len(e.Targets) || e.Targets[i].Port == 0 {
			continue
		}
		t := e.Targets[i]
		one := service{port: uint16(t.Port)}
		if ip, err := netip.ParseAddr(t.Address); err == nil {
			one.target, one.at = instance(e)+"."+s.App.Host(), ip
		} else if one.host = t.Address; !speakable(one.host) {
			continue
		}
		n.services = append(n.services, one)
	}
}
