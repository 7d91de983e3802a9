package wire

import "troupe/frameworks/service/app"

// container reads the container in place of the one that was there.
func (o object) container(a *app.App) {
	o, _ = o.child("container")
	c := &app.Container{Type: app.Mesos}
	docker, hasDocker := o.child("docker")
	if hasDocker {
		c.Type = app.Docker
		c.Image = docker.image()
	}
	o.text("type", &c.Type)
	o.objects("volumes", func(v object) { c.Volumes = append(c.Volumes, v.volume()) })
	old, given := []app.Mapping(nil), false
	if hasDocker {
		old, given = docker.mappings()
	}
	mappings, also := o.mappings()
	switch {
	case given && also && len(old) > 0 && len(mappings) > 0:
		o.refuse(o.at("docker/portMappings"), "You cannot specify both container.portMappings and container.docker.portMappings")
	case also:
		c.Mappings = mappings
	case given:
		c.Mappings = old
	}
	if linux, ok := o.child("linuxInfo"); ok {
		c.Linux = linux.linux()
	}
	a.Container = c
}

func (o object) image() *app.Image {
	im := &app.Image{}
	o.text("image", &im.Name)
	o.flag("forcePullImage", &im.ForcePull)
	o.flag("privileged", &im.Privileged)
	o.objects("parameters", func(c object) {
		var p app.Parameter
		c.text("key", &p.Key)
		c.text("value", &p.Value)
		im.Parameters = append(im.Parameters, p)
	})
	if c, ok := o.child("pullConfig"); ok {
		c.text("secret", &im.PullSecret)
	}
	return im
}

// mappings reads portMappings; an empty list is none, and not the default.
func (o object) mappings() ([]app.Mapping, bool) {
	list := []app.Mapping{}
	found := o.objects("portMappings", func(c object) {
		m := app.Mapping{Protocol: "tcp", HostPort: c.optional("hostPort")}
		c.integer("containerPort", &m.ContainerPort)
		c.integer("servicePort", &m.ServicePort)
		c.protocol(&m.Protocol)
		c.text("name", &m.Name)
		c.textMap("labels", &m.Labels)
		c.texts("networkNames", &m.Networks)
		list = append(list, m)
	})
	return list, found
}

func (o object) volume() app.Volume {
	var v app.Volume
	o.text("containerPath", &v.Path)
	o.text("hostPath", &v.Host)
	o.text("secret", &v.Secret)
	if v.Secret == "" {
		v.Mode = app.ReadWrite
		o.text("mode", &v.Mode)
	}
	if c, ok := o.child("persistent"); ok {
		v.Persistent = &app.Persistent{Type: app.DiskRoot}
		c.text("type", &v.Persistent.Type)
		c.large("size", &v.Persistent.Size)
		c.large("maxSize", &v.Persistent.MaxSize)
		c.text("profileName", &v.Persistent.Profile)
		c.constraints("constraints", &v.Persistent.Constraints)
	}
	if c, ok := o.child("external"); ok {
		v.External = &app.External{}
		c.large("size", &v.External.Size)
		c.text("name", &v.External.Name)
		c.text("provider", &v.External.Provider)
		c.textMap("options", &v.External.Options)
		c.flag("shared", &v.External.Shared)
	}
	return v
}

func (o object) linux() *app.Linux {
	l := &app.Linux{}
	if c, ok := o.child("seccomp"); ok {
		l.Seccomp = &app.Seccomp{}
		c.text("profileName", &l.Seccomp.Profile)
		c.flag("unconfined", &l.Seccomp.Unconfined)
	}
	if c, ok := o.child("ipcInfo"); ok {
		l.IPC = &app.IPC{Mode: "PRIVATE"}
		c.text("mode", &l.IPC.Mode)
		c.large("shmSize", &l.IPC.ShmSize)
	}
	return l
}
