package nested

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// maxRetired bounds the sandboxes that are remembered for an agent that comes back:
// an executor may have had any number of tasks. Others go with their executor's.
const maxRetired = 1000

// retire tells that a container's sandbox is of no more use. A session has none.
func (n *Nest) retire(c *cell) {
	if c.folder == nil && !c.adopted {
		return
	}
	r := &cluster.SandboxRetired{ContainerId: c.id, Since: proto.Int64(time.Now().UnixNano())}
	if len(n.retired) < maxRetired {
		n.retired[c.key] = r
	}
	n.options.tellRetired(r)
}

// reclaim tells that a container's place is free for another.
func (n *Nest) reclaim(c *cell) {
	delete(n.retired, c.key)
	n.options.tellRetired(&cluster.SandboxRetired{
		ContainerId: c.id, Since: proto.Int64(time.Now().UnixNano()), Reclaimed: proto.Bool(true),
	})
}

func (o Options) tellRetired(r *cluster.SandboxRetired) {
	if o.Retired != nil {
		o.Retired(r)
	}
}

// letGo forgets what was below an executor's container: it goes with that.
func (n *Nest) letGo(root string) {
	for key, r := range n.retired {
		if rootOf(r.GetContainerId()) == root {
			delete(n.retired, key)
		}
	}
}

// Retired are the sandboxes of containers that have ended and were not removed, as
// far as they are remembered.
func (n *Nest) Retired() []*cluster.SandboxRetired {
	list := make([]*cluster.SandboxRetired, 0, len(n.retired))
	for _, key := range slices.Sorted(maps.Keys(n.retired)) {
		list = append(list, n.retired[key])
	}
	return list
}

// rootOf is the id of the outermost container.
func rootOf(id *mesos.ContainerID) string {
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	return id.GetValue()
}
