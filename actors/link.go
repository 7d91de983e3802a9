package actors

// watcher is one end of a link: a local actor, or one behind the transport.
type watcher struct {
	local *Context // nil: remote
	link  uint64
}

// watchKey is who watches, and what it calls the watched actor: with the
// incarnation of its system or without.
type watchKey struct{ who, as PID }

// Link asks for exactly one Exited of p, after every message of p that arrives
// before its end. An actor that is dead or unknown has exited at once. Linking
// twice is linking once.
func (c *Context) Link(p PID) {
	x := c.ensureExtras()
	if _, linked := x.links[p]; linked {
		return
	}
	if x.links == nil {
		x.links = make(map[PID]uint64)
	}
	x.nextLink++
	link := x.nextLink
	x.links[p] = link
	c.sys.link(c, p, link)
}

// Unlink takes Link back: no Exited of p comes any more.
func (c *Context) Unlink(p PID) {
	if c.rare == nil {
		return
	}
	if _, linked := c.rare.links[p]; !linked {
		return
	}
	delete(c.rare.links, p)
	c.sys.unlink(c, p)
}

// postExited may be called from any goroutine. Link 0 means whichever there is.
func (c *Context) postExited(p PID, link uint64, reason string) {
	c.post(envelope{kind: kindAlways, run: func(c *Context) {
		if c.rare == nil {
			return
		}
		current, linked := c.rare.links[p]
		if !linked || (link != 0 && link != current) {
			return
		}
		delete(c.rare.links, p)
		if c.rare.exited == nil {
			c.sys.unhandled.note(p, c.self.pid, "Exited", reasonNoHandler)
			return
		}
		c.rare.exited(c, Exited{PID: p, Reason: reason})
	}})
}

// link registers c as a watcher of p.
func (s *System) link(c *Context, p PID, link uint64) {
	where, reason := s.locate(p)
	switch where {
	case atHome:
		target := s.table.get(p.Name)
		if target == nil {
			c.postExited(p, link, reasonNoActor)
			return
		}
		target.watchedBy(c.self.pid, p, watcher{local: c, link: link})
	case abroad:
		s.transport.Link(c.self.pid, p)
	case nowhere:
		c.postExited(p, link, reason)
	}
}

func (s *System) unlink(c *Context, p PID) {
	switch where, _ := s.locate(p); where {
	case atHome:
		if target := s.table.get(p.Name); target != nil {
			target.unwatchedBy(c.self.pid, p)
		}
	case abroad:
		s.transport.Unlink(c.self.pid, p)
	case nowhere:
	}
}

// watchedBy may be called from any goroutine. as is what the watcher called
// this actor.
func (c *Context) watchedBy(who, as PID, w watcher) {
	c.box.mu.Lock()
	sh := c.box.share()
	if !sh.finished {
		if sh.watchers == nil {
			sh.watchers = make(map[watchKey]watcher)
		}
		sh.watchers[watchKey{who: who, as: as}] = w
		c.box.mu.Unlock()
		return
	}
	reason := sh.reason
	c.box.mu.Unlock()
	c.sys.tellExited(watchKey{who: who, as: as}, w, reason)
}

func (c *Context) unwatchedBy(who, as PID) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	if c.box.shared != nil {
		delete(c.box.shared.watchers, watchKey{who: who, as: as})
	}
}

func (s *System) tellExited(k watchKey, w watcher, reason string) {
	if w.local != nil {
		w.local.postExited(k.as, w.link, reason)
		return
	}
	s.transport.Ended(k.who, k.as, reason)
}
