package state

import (
	"strings"

	"troupe/slave/updates"
)

// Keys of timers: what lapses, and whose.
const (
	timerRegistration = "registration"          // the next attempt
	timerPing         = "master-ping"           // the master's time to ping
	timerUpdate       = "update-retry"          // /F/T
	timerSubscription = "executor-registration" // /C: the time to subscribe
	timerGrace        = "shutdown-grace"        // /C: from SHUTDOWN to the kill
	timerDestroy      = "destroy-retry"         // /C: the next order to destroy
	timerHost         = "host-patience"         // /H: the time to be ready, or to return
	timerOperation    = "operation-retry"       // /O
	timerLeaving      = "leaving"               // the next look at what is left
)

func (m *Machine) timerFired(key string) {
	what, whose, _ := strings.Cut(key, "/")
	switch what {
	case timerRegistration:
		m.register()
	case timerPing:
		m.pingOverdue()
	case timerUpdate:
		framework, task, _ := strings.Cut(whose, "/")
		m.stream(updates.RetryDue{Key: updates.Key{Framework: framework, Task: task}})
	case timerSubscription:
		m.subscriptionOverdue(ContainerID(whose))
	case timerGrace, timerDestroy:
		if e := m.containers[ContainerID(whose)]; e != nil {
			m.destroy(e)
		}
	case timerHost:
		m.hostOverdue(HostID(whose))
	case timerOperation:
		m.operationOverdue(OperationID(whose))
	case timerLeaving:
		m.leavingGoesOn()
	default:
		m.note(Warn, "A timer fired that nobody set", Field{"key", key})
	}
}

func updateTimer(k updates.Key) string { return timerUpdate + "/" + k.Framework + "/" + k.Task }

func containerTimer(what string, c ContainerID) string { return what + "/" + string(c) }
