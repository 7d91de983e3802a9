package ensemble

import (
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"

	"troupe/messages/masters"
)

// DefaultSessionTimeout is that of Mesos.
const DefaultSessionTimeout = 10 * time.Second

// Role is what candidates of one election have in common, and each of its own.
type Role struct {
	// Label begins the names of candidates; ZooKeeper adds ten digits.
	Label string
	// Noun is what one of them is called in the log.
	Noun string
	// Content is what others learn of this one once it leads.
	Content []byte
}

// Options say where ZooKeeper is and how to deal with it.
type Options struct {
	Place masters.ZooKeeper
	// For how long ZooKeeper keeps the session of a silent process, and thus its
	// leadership; 10 s. A server may have limits of its own, by default 4 to 40 s.
	SessionTimeout time.Duration
	// Nil: nothing is logged.
	Logger *zap.Logger
}

func (o Options) withDefaults() Options {
	if o.SessionTimeout <= 0 {
		o.SessionTimeout = DefaultSessionTimeout
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

// open is the rights on what everybody may read.
func (o Options) open() []zk.ACL {
	if o.Place.User == "" {
		return zk.WorldACL(zk.PermAll)
	}
	return append(zk.WorldACL(zk.PermRead), zk.AuthACL(zk.PermAll)...)
}

// private is the rights on what candidates alone read.
func (o Options) private() []zk.ACL {
	if o.Place.User == "" {
		return zk.WorldACL(zk.PermAll)
	}
	return zk.AuthACL(zk.PermAll)
}
