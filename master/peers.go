package master

import (
	"troupe/actors"
	"troupe/actors/address"
	"troupe/master/state"
)

// maxPeers bounds the two caches. It is more than a master serves; when
// strangers fill them, they are begun anew.
const maxPeers = 1 << 17

// peers converts between addresses and their printed form, which costs too
// much to be done for every message.
type peers struct {
	printed map[actors.PID]state.Peer
	parsed  map[state.Peer]actors.PID
}

func newPeers() peers {
	return peers{printed: make(map[actors.PID]state.Peer), parsed: make(map[state.Peer]actors.PID)}
}

func (p *peers) of(pid actors.PID) state.Peer {
	if printed, known := p.printed[pid]; known {
		return printed
	}
	if len(p.printed) >= maxPeers {
		*p = newPeers()
	}
	printed := state.Peer(pid.String())
	p.printed[pid], p.parsed[printed] = printed, pid
	return printed
}

// pid is the zero address for what is none: nobody can be reached there, and
// what is sent becomes a dead letter.
func (p *peers) pid(printed state.Peer) actors.PID {
	if pid, known := p.parsed[printed]; known {
		return pid
	}
	pid, err := address.Parse(string(printed))
	if err != nil {
		return actors.PID{}
	}
	if len(p.parsed) >= maxPeers {
		*p = newPeers()
	}
	p.parsed[printed], p.printed[pid] = pid, printed
	return pid
}

// forget drops a peer that exited; it comes back under another incarnation.
func (p *peers) forget(pid actors.PID) {
	delete(p.parsed, p.printed[pid])
	delete(p.printed, pid)
}
