package wire

import (
	"slices"
	"strings"

	"troupe/frameworks/cron/plan"
)

func (o object) container() *plan.Container {
	c, ok := o.child("container")
	if !ok {
		return nil
	}
	got := &plan.Container{Type: "DOCKER"}
	c.text("type", &got.Type)
	c.text("image", &got.Image)
	c.text("network", &got.Network)
	c.text("networkName", &got.NetworkName)
	c.flag("forcePullImage", &got.ForcePull)
	c.pairs("parameters", "key", &got.Parameters)
	c.oneOf("type", &got.Type, "DOCKER", "MESOS")
	c.oneOf("network", &got.Network, "", "HOST", "BRIDGE", "USER")
	if got.Image == "" && got.Type == "DOCKER" && !c.at(c.in("image")) {
		c.wrong(c.in("image"), "is missing")
	}
	c.objects("volumes", func(v object) { got.Volumes = append(got.Volumes, v.volume()) })
	c.objects("networkInfos", func(n object) { got.Joins = append(got.Joins, n.join()) })
	return got
}

// oneOf has a text in capitals be one of those.
func (o object) oneOf(key string, text *string, of ...string) {
	*text = strings.ToUpper(*text)
	if !slices.Contains(of, *text) {
		o.wrong(o.in(key), "%.100q is not one of %s", *text, strings.TrimPrefix(strings.Join(of, ", "), ", "))
	}
}

func (o object) volume() plan.Volume {
	var v plan.Volume
	o.text("hostPath", &v.HostPath)
	o.text("containerPath", &v.ContainerPath)
	o.text("mode", &v.Mode)
	o.oneOf("mode", &v.Mode, "", "RO", "RW")
	if e, ok := o.child("external"); ok {
		e.text("name", &v.ExternalName)
		e.text("provider", &v.ExternalDriver)
		e.pairs("options", "key", &v.ExternalOptions)
		if v.ExternalName == "" && !e.at(e.in("name")) {
			e.wrong(e.in("name"), "is missing")
		}
	}
	if v.ContainerPath == "" && !o.at(o.in("containerPath")) {
		o.wrong(o.in("containerPath"), "is missing")
	}
	return v
}

func (o object) join() plan.Join {
	var j plan.Join
	o.text("name", &j.Name)
	o.text("protocol", &j.Protocol)
	if j.Protocol != "" && j.Protocol != "IPv4" && j.Protocol != "IPv6" {
		o.wrong(o.in("protocol"), "%.100q is not IPv4 or IPv6", j.Protocol)
	}
	o.pairs("labels", "key", &j.Labels)
	o.objects("portMappings", func(p object) {
		var m plan.Mapped
		p.port("hostPort", &m.HostPort)
		p.port("containerPort", &m.ContainerPort)
		p.text("protocol", &m.Protocol)
		m.Protocol = strings.ToLower(m.Protocol)
		if m.Protocol != "" && m.Protocol != "tcp" && m.Protocol != "udp" {
			p.wrong(p.in("protocol"), "%.100q is not tcp or udp", m.Protocol)
		}
		j.Ports = append(j.Ports, m)
	})
	return j
}

func (o object) port(key string, to *int) {
	n := int64(0)
	o.whole(key, &n)
	if n < 0 || n > 65535 {
		o.wrong(o.in(key), "%d is not from 0 to 65535", n)
	}
	*to = int(n)
}
