package wire

import "troupe/frameworks/service/app"

type appNetwork struct {
	Container    *container        `json:"container,omitempty"`
	Networks     []network         `json:"networks"`
	Definitions  *[]portDefinition `json:"portDefinitions,omitempty"`
	Ports        []int             `json:"ports"` // service ports, of whichever network
	RequirePorts bool              `json:"requirePorts"`
}

type network struct {
	Mode   string            `json:"mode"`
	Name   string            `json:"name,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

type portDefinition struct {
	Port     int               `json:"port"`
	Protocol string            `json:"protocol"`
	Name     string            `json:"name,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

type container struct {
	Type         string         `json:"type"`
	Docker       *docker        `json:"docker,omitempty"`
	Volumes      []volume       `json:"volumes"`
	PortMappings *[]portMapping `json:"portMappings,omitempty"`
	LinuxInfo    *linuxInfo     `json:"linuxInfo,omitempty"`
}

type docker struct {
	Image      string      `json:"image"`
	ForcePull  bool        `json:"forcePullImage"`
	Privileged bool        `json:"privileged"`
	Parameters []parameter `json:"parameters"`
	PullConfig *secret     `json:"pullConfig,omitempty"`
}

type parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type portMapping struct {
	ContainerPort int               `json:"containerPort"`
	HostPort      *int              `json:"hostPort,omitempty"`
	ServicePort   int               `json:"servicePort"`
	Protocol      string            `json:"protocol"`
	Name          string            `json:"name,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Networks      []string          `json:"networkNames,omitempty"`
}

type volume struct {
	ContainerPath string      `json:"containerPath"`
	HostPath      string      `json:"hostPath,omitempty"`
	Mode          string      `json:"mode,omitempty"`
	Persistent    *persistent `json:"persistent,omitempty"`
	External      *external   `json:"external,omitempty"`
	Secret        string      `json:"secret,omitempty"`
}

type persistent struct {
	Type        string     `json:"type"`
	Size        int64      `json:"size"`
	MaxSize     int64      `json:"maxSize,omitempty"`
	ProfileName string     `json:"profileName,omitempty"`
	Constraints [][]string `json:"constraints,omitempty"`
}

type external struct {
	Size     int64             `json:"size,omitempty"`
	Name     string            `json:"name,omitempty"`
	Provider string            `json:"provider,omitempty"`
	Options  map[string]string `json:"options,omitempty"`
	Shared   bool              `json:"shared,omitempty"`
}

type linuxInfo struct {
	Seccomp *seccomp `json:"seccomp,omitempty"`
	IPC     *ipcInfo `json:"ipcInfo,omitempty"`
}

type seccomp struct {
	ProfileName string `json:"profileName,omitempty"`
	Unconfined  bool   `json:"unconfined"`
}

type ipcInfo struct {
	Mode    string `json:"mode"`
	ShmSize int64  `json:"shmSize,omitempty"`
}

func fromNetwork(a *app.App) appNetwork {
	w := appNetwork{Networks: []network{}, Ports: a.ServicePorts(), RequirePorts: a.RequirePorts}
	for _, n := range a.Networks {
		w.Networks = append(w.Networks, network{n.Mode, n.Name, n.Labels})
	}
	if a.OnHost() {
		definitions := []portDefinition{}
		for _, d := range a.Ports {
			definitions = append(definitions, portDefinition{d.Number, d.Protocol, d.Name, d.Labels})
		}
		w.Definitions = &definitions
	}
	if a.Container != nil {
		w.Container = fromContainer(a)
	}
	return w
}

func fromContainer(a *app.App) *container {
	c := a.Container
	w := &container{Type: c.Type, Volumes: []volume{}}
	if im := c.Image; im != nil {
		w.Docker = &docker{Image: im.Name, ForcePull: im.ForcePull, Privileged: im.Privileged, Parameters: []parameter{}}
		for _, p := range im.Parameters {
			w.Docker.Parameters = append(w.Docker.Parameters, parameter(p))
		}
		if im.PullSecret != "" {
			w.Docker.PullConfig = &secret{im.PullSecret}
		}
	}
	for _, v := range c.Volumes {
		w.Volumes = append(w.Volumes, fromVolume(v))
	}
	if !a.OnHost() || len(c.Mappings) > 0 {
		mappings := []portMapping{}
		for _, m := range c.Mappings {
			mappings = append(mappings, portMapping(m))
		}
		w.PortMappings = &mappings
	}
	if c.Linux != nil {
		w.LinuxInfo = &linuxInfo{}
		if s := c.Linux.Seccomp; s != nil {
			w.LinuxInfo.Seccomp = &seccomp{s.Profile, s.Unconfined}
		}
		if i := c.Linux.IPC; i != nil {
			w.LinuxInfo.IPC = &ipcInfo{i.Mode, i.ShmSize}
		}
	}
	return w
}

func fromVolume(v app.Volume) volume {
	w := volume{ContainerPath: v.Path, HostPath: v.Host, Mode: v.Mode, Secret: v.Secret}
	if p := v.Persistent; p != nil {
		w.Persistent = &persistent{p.Type, p.Size, p.MaxSize, p.Profile, fromConstraints(p.Constraints)}
	}
	if e := v.External; e != nil {
		w.External = &external{e.Size, e.Name, e.Provider, e.Options, e.Shared}
	}
	return w
}
