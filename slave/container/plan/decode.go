package plan

// Decode reads what Encode made. The error is ErrMalformed.
func Decode(b []byte) (*Program, error) {
	if len(b) == 0 || b[0] != version {
		return nil, ErrMalformed
	}
	r := &reader{rest: b[1:]}
	p := &Program{}
	r.plan(&p.Plan)
	p.Path, p.Args, p.Env, p.Sandbox = r.text(), r.texts(), r.texts(), r.text()
	p.Switch, p.UID, p.GID = r.flag(), r.uint32(), r.uint32()
	if n := r.count(); n > 0 {
		p.Groups = make([]uint32, n)
		for i := range p.Groups {
			p.Groups[i] = r.uint32()
		}
	}
	p.Terminal = r.flag()
	p.Enter, p.Target = Namespaces(r.below(255)), r.signed()
	for i := range p.Streams {
		p.Streams[i] = r.signed()
	}
	p.Status = r.signed()
	for i := range p.Logs {
		p.Logs[i], p.LogNames[i] = r.signed(), r.text()
	}
	if r.bad || len(r.rest) > 0 {
		return nil, ErrMalformed
	}
	return p, nil
}

func (r *reader) plan(p *Plan) {
	p.Env, p.New = r.texts(), Namespaces(r.below(255))
	if n := r.count(); n > 0 {
		p.Mounts = make([]Mount, n)
		for i := range p.Mounts {
			r.mount(&p.Mounts[i])
		}
	}
	p.Hostname, p.Root, p.Dir = r.text(), r.text(), r.text()
	p.Cgroups, p.Kill = r.texts(), r.text()
	if n := r.count(); n > 0 {
		p.Devices = make([]Device, n)
		for i := range p.Devices {
			p.Devices[i] = Device{Path: r.text(), Mode: r.uint32(), Major: r.uint32(), Minor: r.uint32()}
		}
	}
	if n := r.count(); n > 0 {
		p.Rlimits = make([]Rlimit, n)
		for i := range p.Rlimits {
			p.Rlimits[i] = Rlimit{Resource: r.signed(), Soft: r.number(), Hard: r.number()}
		}
	}
	r.security(p)
	if r.flag() {
		p.Logs = &Logs{StdoutSize: r.number(), StderrSize: r.number(), Keep: r.signed()}
	}
}

func (r *reader) security(p *Plan) {
	if r.flag() {
		p.Capabilities = &Capabilities{Effective: r.number(), Bounding: r.number(), BoundingOnly: r.flag()}
	}
	p.NoNewPrivileges = r.flag()
	if n := r.count(); n > 0 {
		p.Seccomp = make([]Instruction, n)
		for i := range p.Seccomp {
			p.Seccomp[i] = Instruction{Code: uint16(r.below(1<<16 - 1)), Jt: uint8(r.below(255)), Jf: uint8(r.below(255)), K: r.uint32()}
		}
	}
	if r.flag() {
		score := r.signed()
		p.OOMScore = &score
	}
}

func (r *reader) mount(m *Mount) {
	m.Source, m.Target, m.Type, m.Flags = r.text(), r.text(), r.text(), r.number()
	m.SourceBelow, m.TargetBelow = r.text(), r.text()
	m.Data, m.File = r.text(), r.flag()
	if r.flag() {
		m.Content = &Content{Data: append([]byte(nil), r.bytes()...), Mode: r.uint32(), UID: r.uint32(), GID: r.uint32()}
	}
}
