// Package redact takes the values of secrets out of what is shown or passed on to
// those who do not need them. References, which name a secret, stay. Cores and
// faces import it.
//
// What has no secret is returned as it is; what has one is copied.
package redact

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// Container hides the secrets of volumes and images.
func Container(c *mesos.ContainerInfo) *mesos.ContainerInfo {
	if !slices.ContainsFunc(inContainer(c), tells) {
		return c
	}
	c = proto.CloneOf(c)
	hide(inContainer(c))
	return c
}

// Command hides those of its environment.
func Command(c *mesos.CommandInfo) *mesos.CommandInfo {
	if !slices.ContainsFunc(inCommand(c), tells) {
		return c
	}
	c = proto.CloneOf(c)
	hide(inCommand(c))
	return c
}

// HealthCheck hides those of its command's environment.
func HealthCheck(h *mesos.HealthCheck) *mesos.HealthCheck {
	if !slices.ContainsFunc(inCommand(h.GetCommand()), tells) {
		return h
	}
	h = proto.CloneOf(h)
	hide(inCommand(h.GetCommand()))
	return h
}

// Executor hides those of its command and of its container.
func Executor(e *mesos.ExecutorInfo) *mesos.ExecutorInfo {
	if !slices.ContainsFunc(inExecutor(e), tells) {
		return e
	}
	e = proto.CloneOf(e)
	hide(inExecutor(e))
	return e
}

// tells that a secret has its value with it.
func tells(s *mesos.Secret) bool { return len(s.GetValue().GetData()) > 0 }

func hide(all []*mesos.Secret) {
	for _, s := range all {
		if tells(s) {
			s.Value.Data = []byte{} // required
		}
	}
}

func inExecutor(e *mesos.ExecutorInfo) []*mesos.Secret {
	return append(inCommand(e.GetCommand()), inContainer(e.GetContainer())...)
}

func inCommand(c *mesos.CommandInfo) (all []*mesos.Secret) {
	for _, v := range c.GetEnvironment().GetVariables() {
		if v.Secret != nil {
			all = append(all, v.Secret)
		}
	}
	return all
}

func inContainer(c *mesos.ContainerInfo) (all []*mesos.Secret) {
	if c == nil {
		return nil
	}
	for _, v := range c.GetVolumes() {
		all = append(all, v.GetSource().GetSecret(), v.GetImage().GetDocker().GetConfig())
	}
	return append(all, c.GetMesos().GetImage().GetDocker().GetConfig())
}
