package haproxy

import (
	"fmt"
	"maps"
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
		if !ok {
			continue
		}
		wanted := map[string]Server{}
		for _, s := range b.Servers {
			wanted[s.Name] = s
		}
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if _, stays := wanted[name]; !stays {
				leave = append(leave, r.leaving(b.Name, known[name])...)
			}
		}
		for _, s := range b.Servers {
			steps, ok := r.entering(b, known[s.Name], s)
			enter, enough = append(enter, steps...), enough && ok
		}
	}
	return append(leave, enter...), enough
}

// leaving has a server get nothing new, and deletes it when nothing of it is left:
// as long as something is, that fails.
func (r *running) leaving(backend string, s *standing) []step {
	id := backend + "/" + s.Name
	set := func(to state) step {
		return step{command: fmt.Sprintf("set server %s state %s", id, to), answers: []string{answerNone}, done: func() { s.state = to }}
	}
	if s.state == ready {
		return []step{set(drain)}
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
		use.done = func() { known.state = ready }
		return []step{use}, true
	case b.Rule.Sticky:
		return nil, false // servers that are added can have no cookie
	}
	added := &standing{s, maintenance}
	use.done = func() { added.state = ready }
	return []step{
		{
			command: fmt.Sprintf("add server %s %s", id, s.parameters()), answers: []string{answerAdded},
			done: func() { r.servers[b.Name][s.Name] = added },
		},
		{command: "enable health " + id, answers: []string{answerNone}, done: func() {}},
		use,
	}, true
}
