package replicated

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// maxInFlight bounds the requests of other masters that wait for Raft.
const maxInFlight = 64

// inbound checks the requests of other masters and hands them to Raft, each in
// a goroutine of its own.
type inbound struct {
	id        string
	wire      Wire
	requests  chan raft.RPC
	heartbeat atomic.Pointer[func(raft.RPC)]
	snapshots receiver
	// wrong tells what is wrong with a request, from whom it came aside.
	wrong func(*cluster.ReplicaRequest) error

	free   chan struct{} // one for each request that may begin
	closed chan struct{}
	under  sync.WaitGroup // only Added to while it is not closed

	mu    sync.Mutex
	ended bool // as closed, but with nothing that begins meanwhile
}

func newInbound(id string, w Wire, wrong func(*cluster.ReplicaRequest) error) *inbound {
	in := &inbound{
		id: id, wire: w, wrong: wrong,
		requests: make(chan raft.RPC), free: make(chan struct{}, maxInFlight), closed: make(chan struct{}),
	}
	for range maxInFlight {
		in.free <- struct{}{}
	}
	return in
}

// close ends everything that waits.
func (in *inbound) close() {
	in.mu.Lock()
	if !in.ended {
		in.ended = true
		close(in.closed)
	}
	in.mu.Unlock()
	in.snapshots.abort(errClosed)
}

// enter says that a request is under way, or why it may not be.
func (in *inbound) enter() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return errClosed
	}
	select {
	case <-in.free:
		in.under.Add(1)
		return nil
	default:
		return fmt.Errorf("%d requests wait here already", maxInFlight)
	}
}

func (in *inbound) leave() {
	in.free <- struct{}{}
	in.under.Done()
}

// serve carries out one request and sends its reply. It does not block.
func (in *inbound) serve(from string, r *cluster.ReplicaRequest) {
	refuse := func(err error) {
		in.wire.Send(from, &cluster.ReplicaReply{Number: proto.Uint64(r.GetNumber()), From: &in.id, Error: proto.String(err.Error())})
	}
	if r.GetTo() != in.id {
		refuse(fmt.Errorf("this is replica %q, not %q: a master that lost its registry must be added again", in.id, r.GetTo()))
		return
	}
	if err := in.wrong(r); err != nil {
		refuse(err)
		return
	}
	if err := in.enter(); err != nil {
		refuse(err)
		return
	}
	go func() {
		defer in.leave()
		reply, err := in.handle(from, r)
		if err != nil {
			refuse(err)
			return
		}
		reply.Number, reply.From = proto.Uint64(r.GetNumber()), &in.id
		in.wire.Send(from, reply)
	}()
}

func (in *inbound) handle(from string, r *cluster.ReplicaRequest) (*cluster.ReplicaReply, error) {
	header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(r.GetFrom()), Addr: []byte(from)}
	switch q := r.GetRequest().(type) {
	case *cluster.ReplicaRequest_Append_:
		args, err := decodeAppend(q.Append)
		if err != nil {
			return nil, err
		}
		args.RPCHeader = header
		return in.deliver(args, isHeartbeat(args))
	case *cluster.ReplicaRequest_Vote_:
		return in.deliver(decodeVote(header, q.Vote), false)
	case *cluster.ReplicaRequest_Succeed_:
		return in.deliver(&raft.TimeoutNowRequest{RPCHeader: header}, false)
	case *cluster.ReplicaRequest_Snapshot_:
		args, err := decodeSnapshot(q.Snapshot)
		if err != nil {
			return nil, err
		}
		args.RPCHeader = header
		return in.receiveSnapshot(from, r.GetNumber(), args)
	case *cluster.ReplicaRequest_Part:
		return in.snapshots.take(from, q.Part)
	default:
		return nil, errors.New("request is absent, or unknown to this version")
	}
}

func decodeVote(header raft.RPCHeader, v *cluster.ReplicaRequest_Vote) any {
	if v.GetTrial() {
		return &raft.RequestPreVoteRequest{RPCHeader: header, Term: v.GetTerm(), LastLogIndex: v.GetLast(), LastLogTerm: v.GetLastTerm()}
	}
	return &raft.RequestVoteRequest{
		RPCHeader: header, Term: v.GetTerm(), LastLogIndex: v.GetLast(), LastLogTerm: v.GetLastTerm(), LeadershipTransfer: v.GetHandedOver(),
	}
}

// deliver gives Raft a request and waits for what it says.
func (in *inbound) deliver(command any, heartbeat bool) (*cluster.ReplicaReply, error) {
	answer := make(chan raft.RPCResponse, 1)
	rpc := raft.RPC{Command: command, RespChan: answer}
	if handle := in.heartbeat.Load(); heartbeat && handle != nil {
		(*handle)(rpc)
	} else {
		select {
		case in.requests <- rpc:
		case <-in.closed:
			return nil, errClosed
		}
	}
	select {
	case r := <-answer:
		return encodeResponse(r)
	case <-in.closed:
		return nil, errClosed
	}
}

func encodeResponse(r raft.RPCResponse) (*cluster.ReplicaReply, error) {
	if r.Error != nil {
		return nil, r.Error
	}
	switch a := r.Response.(type) {
	case *raft.AppendEntriesResponse:
		return &cluster.ReplicaReply{Term: &a.Term, Success: &a.Success, Last: &a.LastLog, RetryNow: &a.NoRetryBackoff}, nil
	case *raft.RequestVoteResponse:
		return &cluster.ReplicaReply{Term: &a.Term, Success: &a.Granted}, nil
	case *raft.RequestPreVoteResponse:
		return &cluster.ReplicaReply{Term: &a.Term, Success: &a.Granted}, nil
	case *raft.InstallSnapshotResponse:
		return &cluster.ReplicaReply{Term: &a.Term, Success: &a.Success}, nil
	case *raft.TimeoutNowResponse:
		return &cluster.ReplicaReply{}, nil
	default:
		return nil, fmt.Errorf("an answer of a kind that is unknown: %T", r.Response)
	}
}
