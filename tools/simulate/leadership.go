package simulate

import (
	agentstate "troupe/slave/state"

	"troupe/frameworks/session"
)

// registryRead tells that a leader begins with what the registry holds.
func (o *oracle) registryRead(epoch uint64) {
	o.reader = max(o.reader, epoch)
}

// foreign tells that a message came from a master that its receiver does not
// follow.
func (o *oracle) foreign(from, follows string) bool {
	_, address, _ := parse(from)
	if address == follows {
		return false
	}
	for _, m := range o.cluster.masters {
		if m.address == address {
			return true
		}
	}
	return false
}

// agentObeys judges what an agent does at somebody's word, by law 5.
func (o *oracle) agentObeys(a *agentNode, from string, effects []agentstate.Effect) {
	if !o.foreign(from, a.detected) {
		return
	}
	for _, e := range effects {
		switch e.(type) {
		case agentstate.Note, agentstate.Publish:
		default:
			o.cluster.fail("law 5: %s does %T at the word of %s, and follows %q", a.address, e, from, a.detected)
		}
	}
}

// schedulerObeys is the same for schedulers.
func (o *oracle) schedulerObeys(s *schedulerNode, from string, effects []session.Effect) {
	if !o.foreign(from, s.detected) {
		return
	}
	for _, e := range effects {
		if _, ok := e.(session.Note); !ok {
			o.cluster.fail("law 5: %s does %T at the word of %s, and follows %q", s.address, e, from, s.detected)
		}
	}
}
