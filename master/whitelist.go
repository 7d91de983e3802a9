package master

import (
	"context"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/master/state"
)

// Whitelist says of which hosts alone agents are offered. Its methods are called
// by one goroutine at a time; Read may block.
type Whitelist interface {
	// Hosts are those of the last Read that went well, in lower case; not nil.
	Hosts() map[string]bool
	// Read looks again, and tells whether Hosts are others.
	Read() (changed bool, err error)
}

// whitelistEvery is the time between two readings, as in Mesos.
const whitelistEvery = 5 * time.Second

// watchWhitelist gives the machine the hosts whenever they are others. The first
// are in its settings.
func (m *Master) watchWhitelist(c *actors.Context) {
	if m.options.Whitelist != nil {
		c.After(whitelistEvery, func() { m.readWhitelist(c) })
	}
}

func (m *Master) readWhitelist(c *actors.Context) {
	c.Go(func(context.Context) func() {
		changed, err := m.options.Whitelist.Read()
		hosts := m.options.Whitelist.Hosts()
		return func() {
			m.onWhitelistRead(err)
			if changed {
				m.step(c, state.HostsListed{Hosts: hosts})
			}
			m.watchWhitelist(c)
		}
	})
}

// onWhitelistRead says what is wrong with the whitelist, once until it is
// something else.
func (m *Master) onWhitelistRead(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == m.whitelistError:
	case err != nil:
		m.log.Warn("The whitelist cannot be read: the hosts from before count until it can", zap.Error(err))
	default:
		m.log.Info("The whitelist can be read again")
	}
	m.whitelistError = text
}
