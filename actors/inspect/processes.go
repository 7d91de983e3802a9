package inspect

import "troupe/actors"

// maxEvents bounds what is shown of one mailbox.
const maxEvents = 1000

// process is an actor as Mesos's clients know it, with what waits for it.
type process struct {
	ID     string  `json:"id"`
	Events []event `json:"events"`
}

// event is something in a mailbox, which nobody looks into.
type event struct {
	Type string `json:"type"`
}

// processes are the actors, each with an event for every entry of its mailbox.
func processes(infos []actors.ActorInfo) []process {
	all := make([]process, 0, len(infos))
	for _, info := range infos {
		p := process{ID: info.Name, Events: make([]event, min(info.Depth, maxEvents))}
		for i := range p.Events {
			p.Events[i].Type = "MESSAGE"
		}
		all = append(all, p)
	}
	return all
}
