package haproxy

import (
	"fmt"
	"slices"
)

// step is something to tell the running process, and what is so once it is done.
type step struct {
	command string
	// answers are those that mean it worked.
	answers []string
	done    func()
	// may fail: the step is done again with the next change.
	may bool
	// drains: it is for old workers, too.
	drains bool
}

// Answers of HAProxy.
const (
	answerNone    = ""
	answerAdded   = "New server registered."
	answerDeleted = "Server deleted."
)

// steps has the running process use the servers that c has, of those backends that
// it knows. What leaves comes first. enough is false where a reload is needed for it,
// or for anything else that differs.
func (r *running) steps(c Config) (list []step, enough bool) {
	enough = r.same(c)
	var leave, enter []step
	for i := range c.Backends {
		b := &c.Backends[i]
		known, ok := r.servers[b.Name]
		if settled, done := r.settled[b.Name]; !ok || done && sameList(settled, b.Servers) {
			continue
		}
		delete(r.settled, b.Name)
		before := len(leave) + len(enter)
		leave = append(leave, r.without(b, known)...)
		for _, s := range b.Servers {
			steps, ok := r.entering(b, known[s.Name], s)
			enter, enough = append(enter, steps...), enough && ok
		}
		if enough && len(leave)+len(enter) == before {
			r.settled[b.Name] = b.Servers
		}
	}
	return append(leave, enter...), enough
}

// without has a backend do without servers that are not wanted any more.
func (r *running) without(b *Backend, known map[string]*standing) []step {
	wanted := make(map[string]bool, len(b.Servers))
	for _, s := range b.Servers {
		wanted[s.Name] = true
	}
	var gone []string
	for name := range known {
		if !wanted[name] {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	var list []step
	for _, name := range gone {
		list = append(list, r.leaving(b.Name, known[name])...)
	}
	return list
}

// leaving has a server get nothing new, and deletes it when nothing of it is left:
// as long as something is, that fails.
func (r *running) leaving(backend string, s *standing) []step {
	id := backend + "/" + s.Name
	set := func(to state) step {
		return step{command: fmt.Sprintf("set server %s state %s", id, to), answers: []string{answerNone}, done: func() { r.set(s, to) }}
	}
	if s.state == ready {
		first := set(drain)
		first.drains = true
		return []step{first}
	}
	return []step{
		set(maintenance),
		{command: "del server " + id, answers: []string{answerDeleted}, may: true, done: func() { delete(r.servers[backend], s.Name) }},
	}
}

// entering has a server be used. ok is false when the process cannot be told so.
func (r *running) entering(b *Backend, known *standing, s Server) (list []step, ok bool) {
	id := b.Name + "/" + s.Name
	use := step{command: fmt.Sprintf("set server %s state %s", id, ready), answers: []string{answerNone}}
	switch {
	case known != nil && known.Server != s:
		return nil, false
	case known != nil && known.state == ready:
		return nil, true
	case known != nil:
		use.done = func() { r.set(known, ready) }
		return []step{use}, true
	case b.Rule.Sticky:
		return nil, false // servers that are added can have no cookie
	}
	added := &standing{s, maintenance}
	use.done = func() { r.set(added, ready) }
	return []step{
		{
			command: fmt.Sprintf("add server %s %s", id, s.parameters()), answers: []string{answerAdded},
			done: func() { r.servers[b.Name][s.Name] = added },
		},
		{command: "enable health " + id, answers: []string{answerNone}, done: func() {}},
		use,
	}, true
}
