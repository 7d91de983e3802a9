package wire

import (
	"fmt"
	"slices"

	"troupe/frameworks/service/app"
)

// network reads the networks, the container and the ports, which older forms mix
// (A.4, rules 1 to 6).
func (o object) network(a *app.App, opt Options, created bool) {
	wasOnHost := a.OnHost()
	legacy := o.legacyNetworks(opt)
	_, contained := o.child("container")
	if contained {
		o.container(a)
	}
	o.networks(a, opt, legacy)
	moved := wasOnHost != a.OnHost()
	if ip, ok := o.child("ipAddress"); ok && !a.OnHost() {
		if a.Container == nil {
			a.Container = &app.Container{Type: app.Mesos}
			contained = true
		}
		ip.discovery(a)
	}
	if moved && a.OnHost() && !contained && a.Container != nil {
		c := *a.Container
		c.Mappings = nil
		a.Container = &c
	}
	o.ports(a, created || moved)
	a.Container = settle(a, contained || moved)
}

// legacyNetworks are what container.docker.network and ipAddress mean; nil if
// neither says anything.
func (o object) legacyNetworks(opt Options) []app.Network {
	mode := ""
	if c, ok := o.child("container"); ok {
		if d, ok := c.child("docker"); ok {
			d.text("network", &mode)
		}
	}
	ip, hasIP := o.child("ipAddress")
	if mode == "" && !hasIP {
		return nil
	}
	n := app.Network{Mode: app.ModeContainer}
	if hasIP {
		n.Name = opt.Network
		ip.text("networkName", &n.Name)
		ip.textMap("labels", &n.Labels)
	}
	switch mode {
	case "HOST", "NONE":
		n = app.Network{Mode: app.ModeHost}
	case "BRIDGE":
		n.Mode, n.Name = app.ModeBridge, ""
	case "", "USER":
		if n.Name == "" {
			n.Name = opt.Network
		}
	default:
		o.refuse(o.path+"/container/docker/network", fmt.Sprintf("got %s, expected one of: [HOST, BRIDGE, USER]", mode))
	}
	return []app.Network{n}
}

func (o object) networks(a *app.App, opt Options, legacy []app.Network) {
	var list []app.Network
	o.objects("networks", func(c object) {
		n := app.Network{Mode: app.ModeContainer}
		c.text("mode", &n.Mode)
		c.text("name", &n.Name)
		c.textMap("labels", &n.Labels)
		if n.Mode == app.ModeContainer && n.Name == "" {
			n.Name = opt.Network
		}
		list = append(list, n)
	})
	switch {
	case len(list) > 0 && legacy != nil:
		o.refuse(o.at("networks"), "You cannot mix networks with the deprecated ipAddress and container.docker.network")
	case len(list) > 0:
		a.Networks = list
	case legacy != nil:
		a.Networks = legacy
	}
}

// discovery reads the ports that an ipAddress announces.
func (o object) discovery(a *app.App) {
	d, ok := o.child("discovery")
	if !ok || len(a.Container.Mappings) > 0 {
		return
	}
	c := *a.Container
	c.Mappings = nil
	d.objects("ports", func(p object) {
		m := app.Mapping{Protocol: "tcp"}
		p.integer("number", &m.ContainerPort)
		p.text("name", &m.Name)
		p.protocol(&m.Protocol)
		p.textMap("labels", &m.Labels)
		c.Mappings = append(c.Mappings, m)
	})
	if len(c.Mappings) > 0 {
		a.Container = &c
	}
}

func (o object) protocol(to *string) {
	o.text("protocol", to)
	if *to == "tcp,udp" {
		*to = "udp,tcp"
	}
}

// ports reads the ports on a host's network: portDefinitions, or ports, which were
// before it, and which answers still have for those who read them; so that of both
// the former counts. anew tells that without either there is one.
func (o object) ports(a *app.App, anew bool) {
	o.flag("requirePorts", &a.RequirePorts)
	var definitions []app.Port
	defined := o.objects("portDefinitions", func(c object) {
		d := app.Port{Protocol: "tcp"}
		c.integer("port", &d.Number)
		c.text("name", &d.Name)
		c.protocol(&d.Protocol)
		c.textMap("labels", &d.Labels)
		definitions = append(definitions, d)
	})
	var plain []app.Port
	listed := o.list("ports", func(path string, v any) {
		n, _ := o.whole(path, v, 1<<31-1)
		plain = append(plain, app.Port{Number: int(n), Protocol: "tcp"})
	})
	switch {
	case defined:
		a.Ports = definitions
	case !a.OnHost():
		a.Ports = nil
	case listed:
		a.Ports = plain
	case anew:
		a.Ports = []app.Port{{Name: "default", Protocol: "tcp"}}
	}
	if !a.OnHost() {
		a.RequirePorts = false
	}
}

// settle is the container of an app once its networks are known. anew tells that
// the container, or what it is on, is another than before.
func settle(a *app.App, anew bool) *app.Container {
	if a.Container == nil {
		return nil
	}
	c := *a.Container
	c.Mappings = slices.Clone(c.Mappings)
	if c.Mappings == nil && anew && !a.OnHost() {
		c.Mappings = []app.Mapping{{Name: "default", Protocol: "tcp"}}
	}
	if len(a.Networks) == 1 && a.Networks[0].Mode == app.ModeBridge {
		for i := range c.Mappings {
			if c.Mappings[i].HostPort == nil {
				c.Mappings[i].HostPort = new(int)
			}
		}
	}
	return &c
}
