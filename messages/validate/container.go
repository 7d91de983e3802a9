package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
)

// ContainerInfo checks a container's type and volumes.
func ContainerInfo(c *mesos.ContainerInfo) error {
	switch c.GetType() {
	case mesos.ContainerInfo_DOCKER:
		if c.Docker == nil {
			return field.Missing("docker")
		}
		for i, p := range c.GetDocker().GetParameters() {
			if p.GetKey() == "name" {
				return field.At("docker.parameters", i, field.Invalid("key", p.GetKey(), "is not for tasks to choose"))
			}
		}
	case mesos.ContainerInfo_MESOS:
	default:
		return field.Invalid("type", c.GetType(), "must be DOCKER or MESOS")
	}
	for i, v := range c.GetVolumes() {
		if err := volume(v); err != nil {
			return field.At("volumes", i, err)
		}
	}
	return nil
}

func volume(v *mesos.Volume) error {
	if v.GetContainerPath() == "" {
		return field.Missing("container_path")
	}
	given := 0
	for _, set := range []bool{v.HostPath != nil, v.Image != nil, v.Source != nil} {
		if set {
			given++
		}
	}
	if given != 1 {
		return field.Invalid("", v.GetContainerPath(), "must have one of host_path, image and source, not %d", given)
	}
	if v.Source == nil {
		return nil
	}
	return field.In("source", volumeSource(v.GetSource()))
}

func volumeSource(s *mesos.Volume_Source) error {
	set, name := false, ""
	switch s.GetType() {
	case mesos.Volume_Source_DOCKER_VOLUME:
		set, name = s.DockerVolume != nil, "docker_volume"
	case mesos.Volume_Source_HOST_PATH:
		set, name = s.HostPath != nil, "host_path"
	case mesos.Volume_Source_SANDBOX_PATH:
		set, name = s.SandboxPath != nil, "sandbox_path"
	case mesos.Volume_Source_SECRET:
		set, name = s.Secret != nil, "secret"
	case mesos.Volume_Source_CSI_VOLUME:
		set, name = s.GetCsiVolume().GetStaticProvisioning() != nil, "csi_volume.static_provisioning"
	default:
		return field.Invalid("type", s.GetType(), "is not known")
	}
	if !set {
		return field.Missing(name)
	}
	return nil
}
