package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"troupe/frameworks/cron/plan"
)

// Container is where a run executes.
type Container struct {
	Type        string      `json:"type"`
	Image       string      `json:"image"`
	Network     string      `json:"network,omitempty"`
	NetworkName string      `json:"networkName,omitempty"`
	Joins       []Join      `json:"networkInfos,omitempty"`
	Volumes     []Volume    `json:"volumes"`
	Parameters  []Parameter `json:"parameters"`
	ForcePull   bool        `json:"forcePullImage"`
}

// Volume has texts alone, but for External, for clients that expect so.
type Volume struct {
	HostPath      string    `json:"hostPath,omitempty"`
	ContainerPath string    `json:"containerPath"`
	Mode          string    `json:"mode,omitempty"`
	External      *External `json:"external,omitempty"`
}

// External is a volume of a storage provider.
type External struct {
	Name     string      `json:"name"`
	Provider string      `json:"provider"`
	Options  []Parameter `json:"options"`
}

// Join is a network that the container joins.
type Join struct {
	Name     string      `json:"name,omitempty"`
	Protocol string      `json:"protocol,omitempty"`
	Labels   []Parameter `json:"labels,omitempty"`
	Ports    []Mapped    `json:"portMappings,omitempty"`
}

// Mapped is a port of the container that is reached by one of the host's.
type Mapped struct {
	HostPort      int    `json:"hostPort"`
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol,omitempty"`
}

func newContainer(c *plan.Container) *Container {
	if c == nil {
		return nil
	}
	shown := &Container{
		Type: c.Type, Image: c.Image, Network: c.Network, NetworkName: c.NetworkName,
		Volumes: []Volume{}, Parameters: parameters(c.Parameters), ForcePull: c.ForcePull,
	}
	for _, v := range c.Volumes {
		one := Volume{HostPath: v.HostPath, ContainerPath: v.ContainerPath, Mode: v.Mode}
		if v.ExternalName != "" {
			one.External = &External{v.ExternalName, v.ExternalDriver, parameters(v.ExternalOptions)}
		}
		shown.Volumes = append(shown.Volumes, one)
	}
	for _, j := range c.Joins {
		one := Join{Name: j.Name, Protocol: j.Protocol}
		for _, l := range j.Labels {
			one.Labels = append(one.Labels, Parameter{l.Name, l.Value})
		}
		for _, p := range j.Ports {
			one.Ports = append(one.Ports, Mapped(p))
		}
		shown.Joins = append(shown.Joins, one)
	}
	return shown
}

func seconds(d time.Duration) json.Number {
	return json.Number(strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
}
