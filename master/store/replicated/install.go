package replicated

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// installPatience is how long the next part of a snapshot may take to come:
// Raft does nothing else meanwhile but take heartbeats.
const installPatience = 5 * time.Second

// receiver takes the parts of one snapshot at a time.
type receiver struct {
	mu      sync.Mutex
	current *installation
}

// installation is a snapshot on its way to Raft, which reads from the other end
// of the pipe.
type installation struct {
	from   string
	number uint64
	size   uint64
	pipe   *io.PipeWriter
	idle   *time.Timer
	// done is closed when Raft has answered; reply and err are its answer.
	done  chan struct{}
	reply *cluster.ReplicaReply
	err   error

	mu     sync.Mutex
	offset uint64
}

var errReplaced = errors.New("another snapshot was announced")

// begin makes i the snapshot that is taken; the one before it ends.
func (r *receiver) begin(i *installation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil {
		r.current.end(errReplaced)
	}
	r.current = i
}

// abort ends the snapshot under way.
func (r *receiver) abort(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil {
		r.current.end(err)
	}
}

// end makes the reader see err, if it has not read all.
func (i *installation) end(err error) {
	i.idle.Stop()
	i.pipe.CloseWithError(err)
}

// take writes one part and returns when it was read: with what Raft says of the
// whole after the last one.
func (r *receiver) take(from string, part *cluster.ReplicaRequest_SnapshotPart) (*cluster.ReplicaReply, error) {
	r.mu.Lock()
	i := r.current
	r.mu.Unlock()
	if i == nil || i.from != from || i.number != part.GetSnapshot() {
		return nil, fmt.Errorf("part.snapshot: %d is not under way", part.GetSnapshot())
	}
	more, err := i.write(part)
	if err == nil && more {
		return &cluster.ReplicaReply{More: proto.Bool(true)}, nil
	}
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		i.end(err)
	}
	<-i.done // Raft answers soon: it has all, or its reader failed
	if i.err != nil {
		return nil, i.err
	}
	return &cluster.ReplicaReply{Term: i.reply.Term, Success: i.reply.Success}, nil
}

func (i *installation) write(part *cluster.ReplicaRequest_SnapshotPart) (more bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := uint64(len(part.GetData()))
	switch {
	case part.GetOffset() != i.offset:
		return false, fmt.Errorf("part.offset: %d where %d is next", part.GetOffset(), i.offset)
	case n == 0 || n > chunkBytes || i.offset+n > i.size:
		return false, fmt.Errorf("part.data: %d bytes at %d of %d", n, i.offset, i.size)
	}
	i.idle.Reset(installPatience)
	if _, err := i.pipe.Write(part.GetData()); err != nil {
		return false, err
	}
	if i.offset += n; i.offset < i.size {
		return true, nil
	}
	i.idle.Stop()
	return false, i.pipe.Close()
}

// receiveSnapshot offers Raft a snapshot whose parts will come, and says that
// they are wanted. Raft's answer goes to the last part.
func (in *inbound) receiveSnapshot(from string, number uint64, args *raft.InstallSnapshotRequest) (*cluster.ReplicaReply, error) {
	reader, writer := io.Pipe()
	i := &installation{from: from, number: number, size: uint64(args.Size), pipe: writer, done: make(chan struct{})}
	i.idle = time.AfterFunc(installPatience, func() {
		writer.CloseWithError(fmt.Errorf("no part of the snapshot came for %s", installPatience))
	})
	in.snapshots.begin(i)
	answer := make(chan raft.RPCResponse, 1)
	select {
	case in.requests <- raft.RPC{Command: args, Reader: reader, RespChan: answer}:
	case <-in.closed:
		i.end(errClosed)
		return nil, errClosed
	}
	in.under.Add(1)
	go func() {
		defer in.under.Done()
		defer close(i.done)
		select {
		case r := <-answer:
			i.reply, i.err = encodeResponse(r)
		case <-in.closed:
			i.err = errClosed
		}
		// What is still written is not read any more.
		if err := reader.Close(); err != nil {
			i.err = errors.Join(i.err, err)
		}
		i.idle.Stop()
	}()
	return &cluster.ReplicaReply{More: proto.Bool(true)}, nil
}
