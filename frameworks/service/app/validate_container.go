package app

import (
	"fmt"
	"strings"

	"troupe/frameworks/match"
)

func (a *App) checkNetworks(p *problems) {
	count := map[string]int{}
	for i, n := range a.Networks {
		path := fmt.Sprintf("/networks(%d)", i)
		oneOf(p, path+"/mode", n.Mode, ModeHost, ModeBridge, ModeContainer)
		count[n.Mode]++
		switch n.Mode {
		case ModeHost:
			p.when(n.Name != "", path+"/name", "must be empty")
			p.when(len(n.Labels) > 0, path+"/labels", "must be empty")
		case ModeContainer:
			p.when(n.Name == "", path+"/name", "name must be specified, since there is no default network (--default_network_name)")
		}
	}
	mixed := (count[ModeHost] > 0 && len(a.Networks) != count[ModeHost]) || (count[ModeBridge] > 0 && len(a.Networks) != count[ModeBridge])
	p.when(len(a.Networks) == 0, "/networks", "must not be empty")
	p.when(mixed || count[ModeHost] > 1 || count[ModeBridge] > 1, "/networks",
		"Must specify either a single host network, single bridge network, or else 1-to-n container networks")
	p.when(count[ModeContainer] > 1 && a.Container != nil && a.Container.Type == Docker, "/networks",
		"may only specify a single container network when using the Docker container engine")
	unique(p, "/networks", "network names", len(a.Networks), func(i int) string { return a.Networks[i].Name })
}

const highest = 65535 // of the numbers of ports

func (a *App) checkPorts(p *problems) {
	if !a.OnHost() {
		p.when(len(a.Ports) > 0, "/portDefinitions", "portDefinitions are only allowed with host networking")
		p.when(a.RequirePorts, "/requirePorts", "is only allowed with host networking")
	}
	for i, d := range a.Ports {
		path := fmt.Sprintf("/portDefinitions(%d)", i)
		among(p, path+"/port", d.Number, 0, highest)
		protocol(p, path+"/protocol", d.Protocol)
	}
	unique(p, "/portDefinitions", "port names", len(a.Ports), func(i int) string { return a.Ports[i].Name })
	unique(p, "/portDefinitions", "Ports", len(a.Ports), func(i int) string { return number(a.Ports[i].Number) })
}

// number is the text of a port, "" of 0.
func number(port int) string {
	if port == 0 {
		return ""
	}
	return fmt.Sprint(port)
}

func protocol(p *problems, path, got string) { oneOf(p, path, got, "tcp", "udp", "udp,tcp") }

func (a *App) checkContainer(p *problems, r Rules) {
	c := a.Container
	if c == nil {
		return
	}
	oneOf(p, "/container/type", c.Type, Docker, Mesos)
	docker := c.Type == Docker
	p.when(docker && c.Image == nil, "/container/docker", "must be defined for a container of type DOCKER")
	if im := c.Image; im != nil {
		p.when(im.Name == "", "/container/docker/image", "must not be empty")
		p.when(!docker && im.Privileged, "/container/docker/privileged", "is only supported by the Docker container engine")
		p.when(!docker && len(im.Parameters) > 0, "/container/docker/parameters", "is only supported by the Docker container engine")
		p.when(docker && im.PullSecret != "", "/container/docker/pullConfig", "pullConfig is not supported with Docker containerizer")
		p.when(im.PullSecret != "" && !r.Secrets, "/container/docker/pullConfig", "Feature secrets is not enabled. Enable with --enable_features secrets)")
		for i, q := range im.Parameters {
			p.when(q.Key == "", fmt.Sprintf("/container/docker/parameters(%d)/key", i), "must not be empty")
		}
	}
	a.checkMappings(p)
	for i, v := range c.Volumes {
		v.check(p, fmt.Sprintf("/container/volumes(%d)", i), r)
	}
	unique(p, "/container/volumes", "container paths", len(c.Volumes), func(i int) string { return c.Volumes[i].Path })
	if c.Linux != nil {
		p.when(docker, "/container/linuxInfo", "is only supported with containers of type MESOS")
		c.Linux.check(p)
	}
}

func (l *Linux) check(p *problems) {
	if s := l.Seccomp; s != nil {
		p.when(s.Unconfined == (s.Profile != ""), "/container/linuxInfo/seccomp", "either a profileName, or unconfined")
	}
	if i := l.IPC; i != nil {
		oneOf(p, "/container/linuxInfo/ipcInfo/mode", i.Mode, "PRIVATE", "SHARE_PARENT")
		least(p, "/container/linuxInfo/ipcInfo/shmSize", i.ShmSize, 0)
		p.when(i.Mode == "SHARE_PARENT" && i.ShmSize > 0, "/container/linuxInfo/ipcInfo/shmSize", "is only allowed with mode PRIVATE")
	}
}

func (a *App) checkMappings(p *problems) {
	maps := a.Container.Mappings
	p.when(a.OnHost() && len(maps) > 0, "/container/portMappings", "portMappings are not allowed with host networking")
	several := len(a.Networks) > 1
	known := map[string]bool{}
	for _, n := range a.Networks {
		known[n.Name] = true
	}
	for i, m := range maps {
		path := fmt.Sprintf("/container/portMappings(%d)", i)
		among(p, path+"/containerPort", m.ContainerPort, 0, highest)
		among(p, path+"/servicePort", m.ServicePort, 0, highest)
		protocol(p, path+"/protocol", m.Protocol)
		if m.HostPort != nil {
			among(p, path+"/hostPort", *m.HostPort, 0, highest)
			p.when(several && len(m.Networks) != 1, path+"/networkNames", "with several networks a mapping with a hostPort must name exactly one")
		}
		for j, name := range m.Networks {
			p.when(name == "" || !known[name], fmt.Sprintf("%s/networkNames(%d)", path, j), fmt.Sprintf("%q is no network of this app", name))
		}
	}
	unique(p, "/container/portMappings", "port names", len(maps), func(i int) string { return maps[i].Name })
	unique(p, "/container/portMappings", "service ports", len(maps), func(i int) string { return number(maps[i].ServicePort) })
	for _, protocol := range []string{"tcp", "udp"} {
		unique(p, "/container/portMappings", "host ports", len(maps), func(i int) string {
			if m := maps[i]; m.HostPort != nil && *m.HostPort != 0 && strings.Contains(m.Protocol, protocol) {
				return fmt.Sprintf("%d/%s", *m.HostPort, protocol)
			}
			return ""
		})
	}
}

func (v Volume) check(p *problems, path string, r Rules) {
	p.when(v.Path == "", path+"/containerPath", "must not be empty")
	kinds := 0
	for _, set := range []bool{v.Host != "", v.Persistent != nil, v.External != nil, v.Secret != ""} {
		if set {
			kinds++
		}
	}
	p.when(kinds != 1, path, "must have one of hostPath, persistent, external and secret")
	if v.Secret != "" {
		p.when(!r.Secrets, path+"/secret", "Feature secrets is not enabled. Enable with --enable_features secrets)")
		return
	}
	oneOf(p, path+"/mode", v.Mode, ReadWrite, ReadOnly)
	if v.Persistent != nil {
		v.checkPersistent(p, path)
	}
	if e := v.External; e != nil {
		p.when(!r.External, path+"/external", "Feature external_volumes is not enabled. Enable with --enable_features external_volumes)")
		p.when(e.Name == "", path+"/external/name", "must not be empty")
		p.when(e.Provider == "", path+"/external/provider", "is unknown provider")
		least(p, path+"/external/size", e.Size, 0)
	}
}

func (v Volume) checkPersistent(p *problems, path string) {
	d := v.Persistent
	p.when(strings.Contains(v.Path, "/") || v.Path == "." || v.Path == "..", path+"/containerPath",
		"value must be a relative path without slashes, and neither '.' nor '..'")
	p.when(v.Mode != ReadWrite, path+"/mode", "must be RW")
	path += "/persistent"
	oneOf(p, path+"/type", d.Type, DiskRoot, DiskPath, DiskMount)
	least(p, path+"/size", d.Size, 1)
	if d.MaxSize != 0 {
		p.when(d.Type != DiskMount, path+"/maxSize", "Only mount volumes can have maxSize")
		p.when(d.MaxSize <= d.Size, path+"/maxSize", fmt.Sprintf("got %d, expected more than size", d.MaxSize))
	}
	p.when(d.Type == DiskRoot && len(d.Constraints) > 0, path+"/constraints", "Constraints on root volumes are not supported")
	for i, c := range d.Constraints {
		if why := c.check(); why != "" {
			p.add(fmt.Sprintf("%s/constraints(%d)", path, i), why)
			continue
		}
		at := fmt.Sprintf("%s/constraints(%d)", path, i)
		p.when(c.Field != "path", at, fmt.Sprintf("got %s, expected one of: [path]", c.Field))
		oneOf(p, at, c.Operator, string(match.Like), string(match.Unlike))
	}
}
