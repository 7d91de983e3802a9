package state

import "strings"

// Keys of timers: what lapses, and whose.
const (
	timerFailover  = "failover"             // /F: a framework's time to come back
	timerHeartbeat = "heartbeat"            // /F: the next HEARTBEAT
	timerOffer     = "offer-expiry"         // /O17
	timerInverse   = "inverse-offer-expiry" // /O17
	timerQuiet     = "inverse-refusal"      // /S3/F: its time not to be asked again
	timerReturn    = "reregister"           // /S3: an agent's time to come back
	timerRecovery  = "recovery"             // all recovered agents' time to come back
	timerRemoval   = "removal"              // the next removal of an unreachable agent
	timerPrune     = "prune"                // the next pruning of the registry
	timerAllocator = "allocator"            // the next attempt to start the allocator

	timerRate         = "rate"         // /2: the next call of the principals that --rate_limits names there, or of the rest
	timerReservations = "reservations" // the next look at standing reservations
)

func (m *Machine) timerFired(key string) {
	what, whose, _ := strings.Cut(key, "/")
	switch what {
	case timerFailover:
		m.failoverTimedOut(FrameworkID(whose))
	case timerHeartbeat:
		m.heartbeat(FrameworkID(whose))
	case timerOffer:
		m.expireOffer(OfferID(whose))
	case timerInverse:
		m.expireInverse(OfferID(whose))
	case timerQuiet:
		m.quietTimedOut(whose)
	case timerReturn:
		m.returnTimedOut(AgentID(whose))
	case timerRecovery:
		m.recoveryTimedOut()
	case timerRemoval:
		m.removeNext()
	case timerPrune:
		m.pruneRegistry()
	case timerRate:
		m.tookTurn(key)
	case timerReservations:
		m.reservationsDue()
	case timerAllocator:
		m.startAllocator()
	default:
		m.note(Warn, "A timer fired that nobody set", Field{"key", key})
	}
}
