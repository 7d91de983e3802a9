package api

import (
	"sync"

	"troupe/messages/carrier/files"
	"troupe/slave/state/view"
)

// sandboxFiles attaches the sandboxes of an agent once it has an id: under
// the paths that they have on disk, and under those that do without what lies
// above the frameworks, as in Mesos.
type sandboxFiles struct {
	attached files.Attached
	folder   func(agent string) string
	once     sync.Once
}

func (s *sandboxFiles) agentChanged(a *view.Agent) {
	if id := a.Info.GetId().GetValue(); id != "" {
		s.once.Do(func() {
			folder := s.folder(id)
			s.attached.Attach(folder, folder)
			s.attached.Attach("/frameworks", folder+"/frameworks")
		})
	}
}
