package commands

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"troupe/master/store/replicated"
	"troupe/messages/masters"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// peerFlags say with which others a master shares the registry.
type peerFlags struct {
	masterList string
	quorum     int
	election   flags.Duration
}

func (p *peerFlags) add(set *pflag.FlagSet) {
	set.StringVar(&p.masterList, "masters", "", "all masters that keep the registry among themselves, this one too: host:port, with commas between; three or five")
	set.IntVar(&p.quorum, "quorum", 0, "most of --masters: 2 of 3, 3 of 5; need not be given, and means nothing with --zk")
	duration(set, &p.election, "election_timeout", 600*time.Millisecond, "without a sign of the leader, after which --masters elect another one; to twice as long")
}

// masters checks the flags. With ZooKeeper, a quorum is its own business.
func (p *peerFlags) masters(zooKeeper bool) (daemon.Masters, error) {
	if p.masterList == "" {
		if p.quorum > 1 && !zooKeeper {
			return daemon.Masters{}, flagError("quorum", strconv.Itoa(p.quorum), "needs --masters to be most of")
		}
		return daemon.Masters{}, nil
	}
	at, err := masters.Parse(p.masterList)
	switch {
	case err != nil:
		return daemon.Masters{}, flagError("masters", p.masterList, "cannot be read: "+err.Error())
	case len(at.Masters) == 0:
		return daemon.Masters{}, flagError("masters", p.masterList, "is no list of host:port")
	case p.quorum != 0 && p.quorum != len(at.Masters)/2+1:
		return daemon.Masters{}, flagError("quorum", strconv.Itoa(p.quorum),
			fmt.Sprintf("is not %d: the majority of the %d in --masters", len(at.Masters)/2+1, len(at.Masters)))
	case time.Duration(p.election) < replicated.MinElectionTimeout:
		return daemon.Masters{}, flagError("election_timeout", p.election.String(), "is below "+replicated.MinElectionTimeout.String())
	}
	return daemon.Masters{Addresses: at.Masters, ElectionTimeout: time.Duration(p.election)}, nil
}
