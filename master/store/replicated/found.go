package replicated

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// foundPause is how long a new replica waits before it asks the others again.
const foundPause = 500 * time.Millisecond

// identity is what other masters are told of this one.
func (n *Node) identity(number uint64) *cluster.ReplicaIdentity {
	m := &cluster.ReplicaIdentity{
		Number: &number, Id: &n.disk.replica, Address: &n.options.Address,
		Founded: proto.Bool(n.disk.founded || n.raft.LastIndex() > 0), Masters: n.options.Masters,
	}
	if c := n.clusterID(); c != "" {
		m.ClusterId = &c
	}
	return m
}

// found lets a replica without a log begin: the first of the masters' addresses
// makes the log once all of them are there and none has one, the others get it
// from the first. When one of them has a log, the cluster exists, and this
// replica has no part in it until it is added: it may be the very master that
// lost its log, and must not vote again as if it had never voted.
func (n *Node) found() {
	said := ""
	say := func(text string, fields ...zap.Field) {
		if text != said {
			n.log.Info(text, fields...)
		}
		said = text
	}
	ticker := time.NewTicker(foundPause)
	defer ticker.Stop()
	for n.raft.LastIndex() == 0 {
		n.tryFound(say)
		select {
		case <-n.closed:
			return
		case <-ticker.C:
		}
	}
	n.log.Info("this master has a log")
}

func (n *Node) tryFound(say func(string, ...zap.Field)) {
	members := []raft.Server{{ID: raft.ServerID(n.disk.replica), Address: raft.ServerAddress(n.options.Address)}}
	for _, address := range n.options.Masters {
		if address == n.options.Address {
			continue
		}
		who, err := n.identify(address)
		switch {
		case err != nil:
			say("a new registry needs all masters; one is not there yet", zap.String("master", address), zap.Error(err))
			return
		case who.GetFounded() && who.GetClusterId() == "":
			say("another master makes the registry", zap.String("master", address))
			return
		case who.GetFounded():
			say("the cluster exists already; this master waits to be added to it: troupe masters add "+n.options.Address,
				zap.String("master", address), zap.String("cluster", who.GetClusterId()))
			return
		case !slices.Equal(who.GetMasters(), n.options.Masters):
			say("another master was started with another list of masters; all need the same", zap.String("master", address),
				zap.String("its", strings.Join(who.GetMasters(), ",")), zap.String("ours", strings.Join(n.options.Masters, ",")))
			return
		}
		members = append(members, raft.Server{ID: raft.ServerID(who.GetId()), Address: raft.ServerAddress(address)})
	}
	if n.options.Masters[0] != n.options.Address {
		say("all masters are there; the first makes the registry", zap.String("master", n.options.Masters[0]))
		return
	}
	if err := n.raft.BootstrapCluster(raft.Configuration{Servers: members}).Error(); err != nil {
		say("the registry cannot be made", zap.Error(err))
	}
}

// identify asks who is at an address.
func (n *Node) identify(address string) (*cluster.ReplicaIdentity, error) {
	m, err := n.calls.ask(address, n.options.ElectionTimeout, func(number uint64) proto.Message {
		return &cluster.IdentifyReplica{Number: &number}
	})
	if err != nil {
		return nil, err
	}
	who, ok := m.(*cluster.ReplicaIdentity)
	if !ok || who.GetAddress() != address || who.GetId() == "" {
		return nil, errWrongAnswer
	}
	return who, nil
}
