package replicated

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// maxSnapshot bounds a snapshot that another master announces, in bytes.
const maxSnapshot = 4 << 30

var kinds = map[raft.LogType]cluster.LogEntry_Kind{
	raft.LogCommand:       cluster.LogEntry_COMMAND,
	raft.LogNoop:          cluster.LogEntry_NOTHING,
	raft.LogBarrier:       cluster.LogEntry_BARRIER,
	raft.LogConfiguration: cluster.LogEntry_MEMBERSHIP,
}

var logTypes = map[cluster.LogEntry_Kind]raft.LogType{
	cluster.LogEntry_COMMAND:    raft.LogCommand,
	cluster.LogEntry_NOTHING:    raft.LogNoop,
	cluster.LogEntry_BARRIER:    raft.LogBarrier,
	cluster.LogEntry_MEMBERSHIP: raft.LogConfiguration,
}

func encodeAppend(a *raft.AppendEntriesRequest) *cluster.ReplicaRequest_Append {
	m := &cluster.ReplicaRequest_Append{
		Term: &a.Term, Previous: &a.PrevLogEntry, PreviousTerm: &a.PrevLogTerm, Committed: &a.LeaderCommitIndex,
	}
	for _, l := range a.Entries {
		e := &cluster.LogEntry{Index: &l.Index, Term: &l.Term, Kind: kinds[l.Type].Enum(), Data: l.Data}
		if !l.AppendedAt.IsZero() {
			e.AppendedNanoseconds = proto.Int64(l.AppendedAt.UnixNano())
		}
		m.Entries = append(m.Entries, e)
	}
	return m
}

// decodeAppend is for Raft, or says what Raft could not bear.
func decodeAppend(m *cluster.ReplicaRequest_Append) (*raft.AppendEntriesRequest, error) {
	if n := len(m.GetEntries()); n > maxAppend {
		return nil, fmt.Errorf("append.entries: %d of them; at most %d", n, maxAppend)
	}
	a := &raft.AppendEntriesRequest{
		Term: m.GetTerm(), PrevLogEntry: m.GetPrevious(), PrevLogTerm: m.GetPreviousTerm(), LeaderCommitIndex: m.GetCommitted(),
	}
	if a.Term == 0 {
		return nil, errors.New("append.term is 0")
	}
	for i, e := range m.GetEntries() {
		l, err := decodeLog(e)
		switch {
		case err != nil:
			return nil, fmt.Errorf("append.entries[%d]: %w", i, err)
		case l.Index != a.PrevLogEntry+uint64(i)+1 || l.Index == 0:
			return nil, fmt.Errorf("append.entries[%d].index: %d does not follow %d", i, l.Index, a.PrevLogEntry)
		case l.Term > a.Term || l.Term == 0:
			return nil, fmt.Errorf("append.entries[%d].term: %d is not of 1 to %d", i, l.Term, a.Term)
		}
		a.Entries = append(a.Entries, l)
	}
	return a, nil
}

func decodeLog(e *cluster.LogEntry) (*raft.Log, error) {
	kind, known := logTypes[e.GetKind()]
	if !known {
		return nil, fmt.Errorf("kind: %d is unknown", e.GetKind())
	}
	l := &raft.Log{Index: e.GetIndex(), Term: e.GetTerm(), Type: kind, Data: e.GetData()}
	if n := e.GetAppendedNanoseconds(); n != 0 {
		l.AppendedAt = time.Unix(0, n)
	}
	return l, checkEntry(l)
}

func encodeSnapshot(a *raft.InstallSnapshotRequest) *cluster.ReplicaRequest_Snapshot {
	return &cluster.ReplicaRequest_Snapshot{
		Term: &a.Term, Last: &a.LastLogIndex, LastTerm: &a.LastLogTerm, Membership: a.Configuration,
		MembershipIndex: &a.ConfigurationIndex, Size: proto.Uint64(uint64(a.Size)), Version: proto.Uint32(uint32(a.SnapshotVersion)),
	}
}

// decodeSnapshot is for Raft, or says what Raft could not bear.
func decodeSnapshot(m *cluster.ReplicaRequest_Snapshot) (*raft.InstallSnapshotRequest, error) {
	switch {
	case m.GetVersion() != uint32(raft.SnapshotVersionMax):
		return nil, fmt.Errorf("snapshot.version: %d; this master knows %d", m.GetVersion(), raft.SnapshotVersionMax)
	case m.GetSize() == 0 || m.GetSize() > maxSnapshot:
		return nil, fmt.Errorf("snapshot.size: %d is not of 1 to %d", m.GetSize(), int64(maxSnapshot))
	case m.GetTerm() == 0 || m.GetLastTerm() > m.GetTerm():
		return nil, fmt.Errorf("snapshot.last_term: %d, in term %d", m.GetLastTerm(), m.GetTerm())
	case m.GetMembershipIndex() > m.GetLast():
		return nil, fmt.Errorf("snapshot.membership_index: %d is behind %d", m.GetMembershipIndex(), m.GetLast())
	}
	if _, err := decodeMembership(m.GetMembership()); err != nil {
		return nil, fmt.Errorf("snapshot.%w", err)
	}
	return &raft.InstallSnapshotRequest{
		SnapshotVersion: raft.SnapshotVersionMax, Term: m.GetTerm(), LastLogIndex: m.GetLast(), LastLogTerm: m.GetLastTerm(),
		Configuration: m.GetMembership(), ConfigurationIndex: m.GetMembershipIndex(), Size: int64(m.GetSize()),
	}, nil
}

// isHeartbeat tells a request that only says who leads: Raft takes it beside
// the others, so that a slow disk does not look like a dead leader.
func isHeartbeat(a *raft.AppendEntriesRequest) bool {
	return a.Term != 0 && a.PrevLogEntry == 0 && a.PrevLogTerm == 0 && len(a.Entries) == 0 && a.LeaderCommitIndex == 0
}
