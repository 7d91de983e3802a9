package plan

// Encode makes bytes of a program, for Decode in its init.
func Encode(p *Program) []byte {
	w := writer{version}
	w.plan(&p.Plan)
	w.text(p.Path)
	w.texts(p.Args)
	w.texts(p.Env)
	w.text(p.Sandbox)
	w.flag(p.Switch)
	w.number(uint64(p.UID))
	w.number(uint64(p.GID))
	w.number(uint64(len(p.Groups)))
	for _, g := range p.Groups {
		w.number(uint64(g))
	}
	w.flag(p.Terminal)
	w.number(uint64(p.Enter))
	w.signed(p.Target)
	for _, fd := range p.Streams {
		w.signed(fd)
	}
	w.signed(p.Status)
	for i, fd := range p.Logs {
		w.signed(fd)
		w.text(p.LogNames[i])
	}
	return w
}

func (w *writer) plan(p *Plan) {
	w.texts(p.Env)
	w.number(uint64(p.New))
	w.number(uint64(len(p.Mounts)))
	for i := range p.Mounts {
		w.mount(&p.Mounts[i])
	}
	w.text(p.Hostname)
	w.text(p.Root)
	w.text(p.Dir)
	w.texts(p.Cgroups)
	w.text(p.Kill)
	w.number(uint64(len(p.Devices)))
	for _, d := range p.Devices {
		w.text(d.Path)
		w.number(uint64(d.Mode))
		w.number(uint64(d.Major))
		w.number(uint64(d.Minor))
	}
	w.number(uint64(len(p.Rlimits)))
	for _, l := range p.Rlimits {
		w.signed(l.Resource)
		w.number(l.Soft)
		w.number(l.Hard)
	}
	w.security(p)
	w.flag(p.Logs != nil)
	if p.Logs != nil {
		w.number(p.Logs.StdoutSize)
		w.number(p.Logs.StderrSize)
		w.signed(p.Logs.Keep)
	}
}

func (w *writer) security(p *Plan) {
	w.flag(p.Capabilities != nil)
	if c := p.Capabilities; c != nil {
		w.number(c.Effective)
		w.number(c.Bounding)
		w.flag(c.BoundingOnly)
	}
	w.flag(p.NoNewPrivileges)
	w.number(uint64(len(p.Seccomp)))
	for _, i := range p.Seccomp {
		w.number(uint64(i.Code))
		w.number(uint64(i.Jt))
		w.number(uint64(i.Jf))
		w.number(uint64(i.K))
	}
	w.flag(p.OOMScore != nil)
	if p.OOMScore != nil {
		w.signed(*p.OOMScore)
	}
}

func (w *writer) mount(m *Mount) {
	w.text(m.Source)
	w.text(m.Target)
	w.text(m.Type)
	w.number(m.Flags)
	w.text(m.SourceBelow)
	w.text(m.TargetBelow)
	w.text(m.Data)
	w.flag(m.File)
	w.flag(m.Content != nil)
	if c := m.Content; c != nil {
		w.text(string(c.Data))
		w.number(uint64(c.Mode))
		w.number(uint64(c.UID))
		w.number(uint64(c.GID))
	}
}
