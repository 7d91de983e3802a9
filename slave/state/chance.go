package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"troupe/slave/updates"
)

// chance is two splitmix64 generators side by side: ids must not repeat, and
// the same seed must give the same agent.
type chance [2]uint64

func splitmix(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a duration in [0, d); 0 when d is not positive.
func (c *chance) below(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(splitmix(&c[0]) % uint64(d))
}

// uuid is of version 4.
func (c *chance) uuid() updates.UUID {
	var id updates.UUID
	binary.BigEndian.PutUint64(id[:8], splitmix(&c[0]))
	binary.BigEndian.PutUint64(id[8:], splitmix(&c[1]))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (c *chance) container() ContainerID {
	id := c.uuid()
	return ContainerID(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
}

// host has a number for people, and is new all the same in an agent that has
// forgotten its hosts.
func (c *chance) host(number int) HostID {
	return HostID(fmt.Sprintf("H%d-%06x", number, splitmix(&c[1])&0xffffff))
}
