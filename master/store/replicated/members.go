package replicated

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"troupe/messages/cluster"
)

// changePatience bounds one change of who the masters are.
const changePatience = 10 * time.Second

// ErrNotLeader is wrapped by the answer to a change that only the leader makes.
var ErrNotLeader = errors.New("this master does not lead")

// Member is one of the masters.
type Member struct {
	// ID is new with each folder: a master that lost its folder is another one.
	ID      string
	Address string
	Leads   bool
}

// Members are the masters as this one knows them, ordered by address. Empty
// means that this master has no part in a cluster yet.
func (n *Node) Members() ([]Member, error) {
	f := n.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return nil, err
	}
	_, leader := n.raft.LeaderWithID()
	var members []Member
	for _, s := range f.Configuration().Servers {
		members = append(members, Member{ID: string(s.ID), Address: string(s.Address), Leads: s.ID == leader})
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Address, b.Address) })
	return members, nil
}

// Metrics puts figures of the log by the keys that Mesos gives them: how many the
// masters are, and whether this one has all that the leader said is committed.
func (n *Node) Metrics(put func(key string, value float64)) {
	members, err := n.Members()
	if err != nil {
		return // it is closed
	}
	recovered := 0.0
	if _, leader := n.raft.LeaderWithID(); leader != "" && n.raft.AppliedIndex() >= n.raft.CommitIndex() {
		recovered = 1
	}
	put("registrar/log/ensemble_size", float64(len(members)))
	put("registrar/log/recovered", recovered)
}

// Add lets the master at address, which was started and has no registry yet,
// belong to the masters. A master that had this address, and lost its registry,
// is taken out first. Only the leader does it. It returns when most of the
// masters know.
func (n *Node) Add(address string) error {
	members, err := n.leading()
	if err != nil {
		return fmt.Errorf("add master %s: %w", address, err)
	}
	if err := n.add(members, address); err != nil {
		return fmt.Errorf("add master %s: %w", address, err)
	}
	n.log.Info("a master was added: change --masters on each to name it")
	return nil
}

func (n *Node) add(members []Member, address string) error {
	who, err := n.identify(address)
	if err != nil {
		return fmt.Errorf("start it first, with --masters that name it and some of %s: %w", addresses(members), err)
	}
	at := slices.IndexFunc(members, func(m Member) bool { return m.Address == address })
	switch {
	case at >= 0 && members[at].ID == who.GetId():
		return nil
	case who.GetFounded() && who.GetClusterId() != n.clusterID():
		return fmt.Errorf("it belongs to cluster %q, and not to %q: start it with an empty work directory", who.GetClusterId(), n.clusterID())
	case slices.ContainsFunc(members, func(m Member) bool { return m.ID == who.GetId() }):
		return fmt.Errorf("it is known as another address of the masters %s: start it with its own work directory", addresses(members))
	}
	if at >= 0 {
		if err := n.remove(members, address); err != nil {
			return fmt.Errorf("take out the one that it replaces: %w", err)
		}
		members = slices.Delete(members, at, at+1)
	}
	members = append(members, Member{ID: who.GetId(), Address: address})
	if err := n.enough(members); err != nil {
		return err
	}
	return n.raft.AddVoter(raft.ServerID(who.GetId()), raft.ServerAddress(address), 0, changePatience).Error()
}

// Remove takes the master at address out of the masters, be it alive or not.
// Only the leader does it, and not to itself. It returns when most of the
// others know.
func (n *Node) Remove(address string) error {
	members, err := n.leading()
	if err == nil {
		err = n.remove(members, address)
	}
	if err != nil {
		return fmt.Errorf("remove master %s: %w", address, err)
	}
	n.log.Info("a master was removed: change --masters on each to leave it out")
	return nil
}

func (n *Node) remove(members []Member, address string) error {
	at := slices.IndexFunc(members, func(m Member) bool { return m.Address == address })
	switch {
	case at < 0:
		return fmt.Errorf("the masters are %s", addresses(members))
	case members[at].ID == n.disk.replica:
		return errors.New("it leads: end it, so that another one leads, and ask that one")
	}
	rest := slices.Concat(members[:at], members[at+1:])
	if err := n.enough(rest); err != nil {
		return err
	}
	return n.raft.RemoveServer(raft.ServerID(members[at].ID), 0, changePatience).Error()
}

// leading returns the masters, if this one leads them.
func (n *Node) leading() ([]Member, error) {
	switch current, err := n.state(); {
	case err != nil:
		return nil, err
	case current == nil || n.clusterID() == "":
		return nil, ErrNotLeader
	}
	return n.Members()
}

// enough refuses masters of which no majority answers: they could never agree
// on anything again, not even on being others.
func (n *Node) enough(members []Member) error {
	var silent []string
	for _, m := range members {
		if m.ID == n.disk.replica {
			continue
		}
		if who, err := n.identify(m.Address); err != nil || who.GetId() != m.ID {
			silent = append(silent, m.Address)
		}
	}
	if alive := len(members) - len(silent); alive < len(members)/2+1 {
		return fmt.Errorf("of the masters %s, %s would not answer: most of them must", addresses(members), strings.Join(silent, ", "))
	}
	return nil
}

func addresses(members []Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.Address)
	}
	return strings.Join(all, ",")
}

// stranger refuses a vote to a master that belongs to the masters no more, and
// so tells its operator why it waits.
func (n *Node) stranger(r *cluster.ReplicaRequest) error {
	if r.GetVote() == nil {
		return nil
	}
	members, err := n.Members()
	if err != nil || len(members) == 0 || slices.ContainsFunc(members, func(m Member) bool { return m.ID == r.GetFrom() }) {
		return err
	}
	return fmt.Errorf("the masters are %s: replica %q was removed from them, and can be ended", addresses(members), r.GetFrom())
}
