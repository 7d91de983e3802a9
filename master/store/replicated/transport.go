package replicated

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

const (
	// chunkBytes is how much of a snapshot one message has.
	chunkBytes = 256 << 10
	// appendPatience is how long entries, or a part of a snapshot, may take to
	// be written by another master's disk. What was lost on the way holds the next
	// entries up for as long.
	appendPatience = 3 * time.Second
	// maxAppend is how many entries one message has at most; with maxEntry, half
	// of what the actors' transport takes.
	maxAppend = 16
)

// transport sends Raft's requests over a Wire; see inbound for the other way.
type transport struct {
	*inbound
	calls   *calls
	address string
	id      string
	// patience is how long votes wait for an answer: an election's time.
	patience time.Duration
	cluster  func() string
}

var (
	_ raft.Transport   = (*transport)(nil)
	_ raft.WithPreVote = (*transport)(nil)
	_ raft.WithClose   = (*transport)(nil)
)

// Consumer implements raft.Transport.
func (t *transport) Consumer() <-chan raft.RPC { return t.requests }

// LocalAddr implements raft.Transport.
func (t *transport) LocalAddr() raft.ServerAddress { return raft.ServerAddress(t.address) }

// EncodePeer implements raft.Transport.
func (t *transport) EncodePeer(_ raft.ServerID, a raft.ServerAddress) []byte { return []byte(a) }

// DecodePeer implements raft.Transport.
func (t *transport) DecodePeer(a []byte) raft.ServerAddress { return raft.ServerAddress(a) }

// SetHeartbeatHandler implements raft.Transport.
func (t *transport) SetHeartbeatHandler(handle func(raft.RPC)) { t.heartbeat.Store(&handle) }

// AppendEntriesPipeline implements raft.Transport: the registrar has one write
// under way at a time, so that there is nothing to overlap.
func (t *transport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

// Close implements raft.WithClose.
func (t *transport) Close() error {
	t.close()
	return nil
}

// ask sends a request and returns its reply, unless that is a refusal.
func (t *transport) ask(id raft.ServerID, to raft.ServerAddress, patience time.Duration, r *cluster.ReplicaRequest) (*cluster.ReplicaReply, error) {
	r.From, r.To = &t.id, proto.String(string(id))
	if c := t.cluster(); c != "" {
		r.ClusterId = &c
	}
	answer, err := t.calls.ask(string(to), patience, func(number uint64) proto.Message {
		r.Number = &number
		return r
	})
	if err != nil {
		return nil, err
	}
	reply, ok := answer.(*cluster.ReplicaReply)
	switch {
	case !ok:
		return nil, fmt.Errorf("master %s answered %s", to, answer.ProtoReflect().Descriptor().FullName())
	case reply.Error != nil:
		return nil, fmt.Errorf("master %s: %s", to, reply.GetError())
	case reply.GetFrom() != string(id):
		return nil, fmt.Errorf("master %s is replica %q, not %q", to, reply.GetFrom(), id)
	}
	return reply, nil
}

// AppendEntries implements raft.Transport.
func (t *transport) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	patience := appendPatience
	switch {
	case isHeartbeat(args):
		patience = t.patience / 2 // one that is lost must not cost the lease
	case len(args.Entries) == 0:
		patience = t.patience
	}
	reply, err := t.ask(id, to, patience, &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Append_{Append: encodeAppend(args)}})
	if err != nil {
		return err
	}
	resp.Term, resp.Success = reply.GetTerm(), reply.GetSuccess()
	resp.LastLog, resp.NoRetryBackoff = reply.GetLast(), reply.GetRetryNow()
	return nil
}

// RequestVote implements raft.Transport.
func (t *transport) RequestVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	reply, err := t.askVote(id, to, &cluster.ReplicaRequest_Vote{
		Term: &args.Term, Last: &args.LastLogIndex, LastTerm: &args.LastLogTerm, HandedOver: &args.LeadershipTransfer,
	})
	if err == nil {
		resp.Term, resp.Granted = reply.GetTerm(), reply.GetSuccess()
	}
	return err
}

// RequestPreVote implements raft.WithPreVote.
func (t *transport) RequestPreVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	reply, err := t.askVote(id, to, &cluster.ReplicaRequest_Vote{
		Term: &args.Term, Last: &args.LastLogIndex, LastTerm: &args.LastLogTerm, Trial: proto.Bool(true),
	})
	if err == nil {
		resp.Term, resp.Granted = reply.GetTerm(), reply.GetSuccess()
	}
	return err
}

func (t *transport) askVote(id raft.ServerID, to raft.ServerAddress, v *cluster.ReplicaRequest_Vote) (*cluster.ReplicaReply, error) {
	return t.ask(id, to, t.patience, &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Vote_{Vote: v}})
}

// TimeoutNow implements raft.Transport.
func (t *transport) TimeoutNow(id raft.ServerID, to raft.ServerAddress, _ *raft.TimeoutNowRequest, _ *raft.TimeoutNowResponse) error {
	_, err := t.ask(id, to, t.patience, &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Succeed_{Succeed: &cluster.ReplicaRequest_Succeed{}}})
	return err
}

// InstallSnapshot implements raft.Transport: it announces the snapshot, and
// sends each part when the one before it was taken.
func (t *transport) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	announced := &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Snapshot_{Snapshot: encodeSnapshot(args)}}
	reply, err := t.ask(id, to, appendPatience, announced)
	if err != nil {
		return err
	}
	chunk := make([]byte, chunkBytes)
	for offset := int64(0); reply.GetMore(); {
		n, err := io.ReadFull(data, chunk[:min(chunkBytes, args.Size-offset)])
		if err != nil {
			return fmt.Errorf("the snapshot ends after %d of %d bytes: %w", offset+int64(n), args.Size, err)
		}
		part := &cluster.ReplicaRequest_SnapshotPart{
			Snapshot: announced.Number, Offset: proto.Uint64(uint64(offset)), Data: append([]byte(nil), chunk[:n]...),
		}
		offset += int64(n)
		reply, err = t.ask(id, to, appendPatience, &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Part{Part: part}})
		if err != nil {
			return err
		}
		if reply.GetMore() && offset == args.Size {
			return errors.New("more is wanted than the snapshot has")
		}
	}
	resp.Term, resp.Success = reply.GetTerm(), reply.GetSuccess()
	return nil
}
