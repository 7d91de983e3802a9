package daemon

import (
	"sync"

	"troupe/actors"
	"troupe/slave/api/files"
	"troupe/slave/container/sandbox"
	"troupe/slave/state/view"
)

// agentFace is what an agent shows over HTTP.
type agentFace struct {
	layout   sandbox.Layout
	attached files.Attached
	once     sync.Once
}

// mountAgent mounts an agent's routes; it is to be told the agent's events.
func mountAgent(sys *actors.System, layout sandbox.Layout) *agentFace {
	f := &agentFace{layout: layout}
	for path, handler := range f.attached.Routes() {
		sys.Route(path, "files of sandboxes", handler)
		sys.Route("/slave(1)"+path, "files of sandboxes", handler)
	}
	return f
}

// Publish implements slave.Publisher. Once the agent has an id, its sandboxes
// are attached: under the paths that they have on disk, and without what lies
// above the frameworks.
func (f *agentFace) Publish(e view.Event) {
	changed, ok := e.(view.AgentChanged)
	if !ok || changed.Agent.Info.GetId() == nil {
		return
	}
	id := changed.Agent.Info.GetId().GetValue()
	f.once.Do(func() {
		folder := f.layout.Agent(id)
		f.attached.Attach(folder, folder)
		f.attached.Attach("/frameworks", folder+"/frameworks")
	})
}
