package store

import (
	"fmt"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
)

// agentsOnly is the format before this one.
const agentsOnly = 1

// agentBucket is where it had its records.
var agentBucket = []byte("agents")

// upgrade turns a file of that format into one of this: every agent's record
// gets the key and the form that records of all kinds have.
func (f *File) upgrade(tx *bbolt.Tx) error {
	b, err := tx.CreateBucket(recordBucket)
	if err != nil {
		return damaged(err)
	}
	err = f.read(tx.Bucket(agentBucket), func(id string, data []byte) error {
		r := new(cluster.AgentRecord)
		if err := proto.Unmarshal(data, r); err != nil {
			return damaged(fmt.Errorf("record of agent %q: %w", id, err))
		}
		if got := r.GetAgent().GetId().GetValue(); got != id {
			return damaged(fmt.Errorf("record of agent %q: agent.id: %q", id, got))
		}
		_, err := put(b, registry.Change{Key: registry.AgentKey(id), Record: registry.AgentRecord(r)})
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.DeleteBucket(agentBucket); err != nil {
		return err
	}
	return putHeader(tx, f.clusterID)
}
