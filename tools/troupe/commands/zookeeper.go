package commands

import (
	"time"

	"github.com/spf13/pflag"

	"troupe/master/election/zookeeper"
	"troupe/messages/masters"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// zookeeperFlags say where masters are elected and keep their registry.
type zookeeperFlags struct {
	url     string
	session flags.Duration
}

func (z *zookeeperFlags) add(set *pflag.FlagSet) {
	set.StringVar(&z.url, "zk", "", "where masters are elected and keep the registry, or with --masters only show who leads: zk://[user:password@]host:port,…/path; file:///path names a file that holds this")
	duration(set, &z.session, "zk_session_timeout", zookeeper.DefaultSessionTimeout, "after which a leader that ZooKeeper hears nothing of leads no more")
}

// place checks the flags. Errors do not repeat the password.
func (z *zookeeperFlags) place() (daemon.ZooKeeper, error) {
	if err := positive(namedDuration{"zk_session_timeout", z.session}); err != nil || z.url == "" {
		return daemon.ZooKeeper{}, err
	}
	place, err := masters.ParseZooKeeper(z.url)
	if err != nil {
		return daemon.ZooKeeper{}, flagError("zk", masters.Redact(z.url), "cannot be read: "+err.Error())
	}
	return daemon.ZooKeeper{Place: &place, SessionTimeout: time.Duration(z.session)}, nil
}
