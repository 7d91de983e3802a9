package store

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/store/sealed"
	"troupe/messages/cluster"
)

// agentsOnly is the format before this one.
const agentsOnly = 1

// older says how a file of that format becomes one of this: every agent's
// record gets the key and the form that records of all kinds have.
func older(clusterID string) (*sealed.Older, error) {
	header, err := headerOf(clusterID)
	if err != nil {
		return nil, err
	}
	return &sealed.Older{Bucket: "agents", Turn: turnAgent, Header: header}, nil
}

func turnAgent(id string, data []byte) (string, []byte, error) {
	r := new(cluster.AgentRecord)
	if err := proto.Unmarshal(data, r); err != nil {
		return "", nil, err
	}
	if got := r.GetAgent().GetId().GetValue(); got != id {
		return "", nil, fmt.Errorf("agent.id: %q", got)
	}
	data, err := proto.Marshal(registry.AgentRecord(r))
	return registry.AgentKey(id), data, err
}
