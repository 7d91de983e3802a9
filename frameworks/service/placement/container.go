package placement

import (
	"math"
	"slices"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// container is nil for a process that wants none.
func (r *Recipe) container(hostPorts []int) *mesos.ContainerInfo {
	a := r.app
	terminal := a.Process.TTY != nil && *a.Process.TTY
	if a.Container == nil && len(r.parts.networks) == 0 && !terminal {
		return nil
	}
	c := &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: r.parts.volumes}
	if terminal {
		c.TtyInfo = &mesos.TTYInfo{}
	}
	if a.Container != nil && a.Container.Type == app.Docker {
		c.Type = mesos.ContainerInfo_DOCKER.Enum()
		c.Docker, c.NetworkInfos = r.docker(hostPorts)
		return c
	}
	c.Mesos = &mesos.ContainerInfo_MesosInfo{}
	if a.Container != nil {
		c.Mesos.Image, c.LinuxInfo = r.image(a.Container.Image), linux(a.Container.Linux)
	}
	for _, n := range r.parts.networks {
		info := &mesos.NetworkInfo{Name: &n.name, Labels: n.labels}
		r.mapped(n.name, hostPorts, func(host, container uint32, protocol string) {
			info.PortMappings = append(info.PortMappings, &mesos.NetworkInfo_PortMapping{
				HostPort: &host, ContainerPort: &container, Protocol: &protocol,
			})
		})
		c.NetworkInfos = append(c.NetworkInfos, info)
	}
	return c
}

// mapped calls f for each host port that leads into the container on a network, ""
// for whichever.
func (r *Recipe) mapped(network string, hostPorts []int, f func(host, container uint32, protocol string)) {
	numbers := listening(r.parts.ports, hostPorts)
	for i, p := range r.parts.ports {
		if hostPorts[i] == 0 || network != "" && len(p.networks) > 0 && !slices.Contains(p.networks, network) {
			continue
		}
		for _, protocol := range p.protocols {
			f(uint32(hostPorts[i]), uint32(numbers[i]), protocol)
		}
	}
}

// docker is what a Docker engine is told.
func (r *Recipe) docker(hostPorts []int) (*mesos.ContainerInfo_DockerInfo, []*mesos.NetworkInfo) {
	im := r.app.Container.Image
	d := &mesos.ContainerInfo_DockerInfo{Image: &im.Name, ForcePullImage: &im.ForcePull, Privileged: &im.Privileged}
	for _, q := range im.Parameters {
		d.Parameters = append(d.Parameters, &mesos.Parameter{Key: &q.Key, Value: &q.Value})
	}
	d.Network = mesos.ContainerInfo_DockerInfo_HOST.Enum()
	if r.app.OnHost() {
		return d, nil
	}
	r.mapped("", hostPorts, func(host, container uint32, protocol string) {
		d.PortMappings = append(d.PortMappings, &mesos.ContainerInfo_DockerInfo_PortMapping{
			HostPort: &host, ContainerPort: &container, Protocol: &protocol,
		})
	})
	if r.app.Networks[0].Mode == app.ModeBridge {
		d.Network = mesos.ContainerInfo_DockerInfo_BRIDGE.Enum()
		return d, nil
	}
	d.Network = mesos.ContainerInfo_DockerInfo_USER.Enum()
	return d, []*mesos.NetworkInfo{{Name: &r.parts.networks[0].name, Labels: r.parts.networks[0].labels}}
}

// image for the agent's own containers.
func (r *Recipe) image(im *app.Image) *mesos.Image {
	if im == nil {
		return nil
	}
	d := &mesos.Image_Docker{Name: &im.Name}
	if im.PullSecret != "" {
		d.Config = r.secret(im.PullSecret)
	}
	return &mesos.Image{Type: mesos.Image_DOCKER.Enum(), Docker: d, Cached: new(!im.ForcePull)}
}

func linux(l *app.Linux) *mesos.LinuxInfo {
	if l == nil {
		return nil
	}
	info := &mesos.LinuxInfo{}
	if s := l.Seccomp; s != nil {
		info.Seccomp = &mesos.SeccompInfo{}
		if s.Unconfined {
			info.Seccomp.Unconfined = new(true)
		} else {
			info.Seccomp.ProfileName = &s.Profile
		}
	}
	if i := l.IPC; i != nil {
		info.IpcMode = mesos.LinuxInfo_PRIVATE.Enum()
		if i.Mode == "SHARE_PARENT" {
			info.IpcMode = mesos.LinuxInfo_SHARE_PARENT.Enum()
		}
		if i.ShmSize > 0 {
			info.ShmSize = new(uint32(min(i.ShmSize, math.MaxUint32)))
		}
	}
	return info
}

// mounts are the volumes of the container but the persistent ones, which are
// resources.
func (r *Recipe) mounts() []*mesos.Volume {
	if r.app.Container == nil {
		return nil
	}
	var list []*mesos.Volume
	for _, v := range r.app.Container.Volumes {
		m := &mesos.Volume{ContainerPath: &v.Path, Mode: mesos.Volume_RW.Enum()}
		if v.Mode == app.ReadOnly {
			m.Mode = mesos.Volume_RO.Enum()
		}
		switch {
		case v.Persistent != nil:
			continue
		case v.Secret != "":
			m.Mode = mesos.Volume_RO.Enum()
			m.Source = &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum(), Secret: r.secret(v.Secret)}
		case v.External != nil:
			m.Source = external(v)
		default:
			m.HostPath = &v.Host
		}
		list = append(list, m)
	}
	return list
}

// Options of external volumes that mean something here.
const (
	optionDriver     = "dvdi/driver"
	optionPlugin     = "pluginName"
	optionAccessMode = "accessMode"
	optionFileSystem = "fsType"
)

// external is a volume of a storage plugin (provider "csi"), or of a driver of the
// Docker engine.
func external(v app.Volume) *mesos.Volume_Source {
	x := v.External
	if x.Provider == "csi" {
		return &mesos.Volume_Source{Type: mesos.Volume_Source_CSI_VOLUME.Enum(), CsiVolume: csi(v)}
	}
	d := &mesos.Volume_Source_DockerVolume{Name: &x.Name}
	options := &mesos.Parameters{}
	for _, l := range labels(x.Options).GetLabels() {
		if l.GetKey() == optionDriver {
			d.Driver = l.Value
		} else {
			options.Parameter = append(options.Parameter, &mesos.Parameter{Key: l.Key, Value: l.Value})
		}
	}
	if len(options.Parameter) > 0 {
		d.DriverOptions = options
	}
	return &mesos.Volume_Source{Type: mesos.Volume_Source_DOCKER_VOLUME.Enum(), DockerVolume: d}
}

func csi(v app.Volume) *mesos.Volume_Source_CSIVolume {
	x := v.External
	mode := mesos.Volume_Source_CSIVolume_VolumeCapability_AccessMode_SINGLE_NODE_WRITER
	if n, ok := mesos.Volume_Source_CSIVolume_VolumeCapability_AccessMode_Mode_value[x.Options[optionAccessMode]]; ok {
		mode = mesos.Volume_Source_CSIVolume_VolumeCapability_AccessMode_Mode(n)
	}
	mount := &mesos.Volume_Source_CSIVolume_VolumeCapability_MountVolume{}
	if fs := x.Options[optionFileSystem]; fs != "" {
		mount.FsType = &fs
	}
	return &mesos.Volume_Source_CSIVolume{
		PluginName: new(x.Options[optionPlugin]),
		StaticProvisioning: &mesos.Volume_Source_CSIVolume_StaticProvisioning{
			VolumeId: &x.Name,
			VolumeCapability: &mesos.Volume_Source_CSIVolume_VolumeCapability{
				AccessType: &mesos.Volume_Source_CSIVolume_VolumeCapability_Mount{Mount: mount},
				AccessMode: &mesos.Volume_Source_CSIVolume_VolumeCapability_AccessMode{Mode: &mode},
			},
		},
	}
}
