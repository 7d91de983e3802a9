package launch

import (
	"strings"

	"troupe/frameworks/cron/plan"
	"troupe/messages/mesos"
)

// container is a job's in Mesos's words: DOCKER unless it says MESOS.
func container(from *plan.Container) *mesos.ContainerInfo {
	if from == nil {
		return nil
	}
	c := &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Volumes: volumes(from.Volumes)}
	if from.NetworkName != "" {
		c.NetworkInfos = []*mesos.NetworkInfo{{Name: new(from.NetworkName)}}
	}
	if strings.EqualFold(from.Type, "MESOS") {
		c.Type = mesos.ContainerInfo_MESOS.Enum()
		c.Mesos = &mesos.ContainerInfo_MesosInfo{}
		if from.Image != "" {
			c.Mesos.Image = &mesos.Image{
				Type: mesos.Image_DOCKER.Enum(), Docker: &mesos.Image_Docker{Name: new(from.Image)}, Cached: new(!from.ForcePull),
			}
		}
		return c
	}
	c.Docker = &mesos.ContainerInfo_DockerInfo{Image: new(from.Image), ForcePullImage: new(from.ForcePull)}
	if n, known := mesos.ContainerInfo_DockerInfo_Network_value[strings.ToUpper(from.Network)]; known {
		c.Docker.Network = mesos.ContainerInfo_DockerInfo_Network(n).Enum()
	}
	for _, p := range from.Parameters {
		c.Docker.Parameters = append(c.Docker.Parameters, &mesos.Parameter{Key: new(p.Name), Value: new(p.Value)})
	}
	return c
}

func volumes(list []plan.Volume) []*mesos.Volume {
	var all []*mesos.Volume
	for _, from := range list {
		v := &mesos.Volume{Mode: mesos.Volume_RW.Enum(), ContainerPath: new(from.ContainerPath)}
		if strings.EqualFold(from.Mode, "RO") {
			v.Mode = mesos.Volume_RO.Enum()
		}
		switch {
		case from.ExternalName != "":
			d := &mesos.Volume_Source_DockerVolume{Name: new(from.ExternalName)}
			if from.ExternalDriver != "" {
				d.Driver = new(from.ExternalDriver)
			}
			v.Source = &mesos.Volume_Source{Type: mesos.Volume_Source_DOCKER_VOLUME.Enum(), DockerVolume: d}
		case from.HostPath != "":
			v.HostPath = new(from.HostPath)
		}
		all = append(all, v)
	}
	return all
}
