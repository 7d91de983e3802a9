package replicated

import (
	"bytes"
	"testing"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func marshal(f testing.TB, m proto.Message) []byte {
	f.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	return data
}

func seedEntries(f testing.TB) [][]byte {
	parts, err := split(7, []*cluster.StoredRecord{
		{Key: proto.String("agent/S1"), Record: bytes.Repeat([]byte("x"), partBytes)}, {Key: proto.String("agent/S2")},
	})
	if err != nil {
		f.Fatal(err)
	}
	return append(parts,
		marshal(f, &cluster.RegistryEntry{Change: &cluster.RegistryEntry_Takeover_{Takeover: &cluster.RegistryEntry_Takeover{
			Replica: proto.String("r"), Leader: &mesos.MasterInfo{Id: proto.String("m"), Ip: proto.Uint32(1), Port: proto.Uint32(1)},
		}}}),
		marshal(f, &cluster.RegistryEntry{Term: proto.Uint64(7), Change: &cluster.RegistryEntry_Founding_{Founding: &cluster.RegistryEntry_Founding{ClusterId: proto.String("c")}}}),
		nil, []byte("\xff"))
}

// FuzzEntry applies anything as an entry of the log: a copy takes it or refuses
// it, and stays one that can be written as a snapshot and read again.
func FuzzEntry(f *testing.F) {
	for _, data := range seedEntries(f) {
		f.Add(data, uint64(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, term uint64) {
		broken := 0
		c := &registryCopy{changed: func() {}, founded: func(string) {}, broken: func(error) { broken++ }}
		c.term = term
		got, ok := c.Apply(&raft.Log{Index: 1, Term: term, Data: data}).(applied)
		if !ok || got.term != term || (broken > 0 && got.err == nil) {
			t.Fatalf("answered %v, broken %d times", got, broken)
		}
		var out bytes.Buffer
		s := &snapshot{head: c.head(), records: c.records}
		if err := s.write(&out); err != nil {
			t.Fatal(err)
		}
		if _, err := readSnapshot(&out); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	var out bytes.Buffer
	s := &snapshot{
		head:    &cluster.RegistrySnapshot{Format: proto.Uint32(format), Records: proto.Uint64(1), ClusterId: proto.String("c")},
		records: map[string][]byte{"agent/S1": []byte("x")},
	}
	if err := s.write(&out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:out.Len()-1])
	f.Add(append(out.Bytes(), 0))
	f.Add([]byte("\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readSnapshot(bytes.NewReader(data))
		if err == nil && uint64(len(s.records)) != s.head.GetRecords() {
			t.Fatalf("%d records of %d", len(s.records), s.head.GetRecords())
		}
	})
}

// FuzzRequest gives anything to a replica as a request of another master: what
// reaches Raft is what Raft can bear.
func FuzzRequest(f *testing.F) {
	members := raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "h1:1"}}})
	entry := seedEntries(f)[2]
	for _, r := range []*cluster.ReplicaRequest{
		{Request: &cluster.ReplicaRequest_Append_{Append: encodeAppend(&raft.AppendEntriesRequest{Term: 3, PrevLogEntry: 1, PrevLogTerm: 2, Entries: []*raft.Log{
			{Index: 2, Term: 3, Type: raft.LogCommand, Data: entry}, {Index: 3, Term: 3, Type: raft.LogConfiguration, Data: members},
		}})}},
		{Request: &cluster.ReplicaRequest_Snapshot_{Snapshot: encodeSnapshot(&raft.InstallSnapshotRequest{SnapshotVersion: 1, Term: 3, LastLogIndex: 2, LastLogTerm: 2, Configuration: members, Size: 5})}},
		{Request: &cluster.ReplicaRequest_Vote_{Vote: &cluster.ReplicaRequest_Vote{Term: proto.Uint64(1), Last: proto.Uint64(1), LastTerm: proto.Uint64(1)}}},
		{Request: &cluster.ReplicaRequest_Part{Part: &cluster.ReplicaRequest_SnapshotPart{Snapshot: proto.Uint64(1), Offset: proto.Uint64(0), Data: []byte("x")}}},
		{Request: &cluster.ReplicaRequest_Succeed_{Succeed: &cluster.ReplicaRequest_Succeed{}}},
		{},
	} {
		r.Number, r.From, r.To = proto.Uint64(1), proto.String("a"), proto.String("b")
		f.Add(marshal(f, r))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(cluster.ReplicaRequest)
		if proto.Unmarshal(data, r) != nil {
			return
		}
		if args, err := decodeAppend(r.GetAppend()); err == nil {
			for i, l := range args.Entries {
				if l.Index != args.PrevLogEntry+uint64(i)+1 || checkEntry(l) != nil {
					t.Fatalf("entry %d reached Raft: %+v", i, l)
				}
			}
		}
		if args, err := decodeSnapshot(r.GetSnapshot()); err == nil {
			if c := raft.DecodeConfiguration(args.Configuration); len(c.Servers) == 0 || args.Size <= 0 {
				t.Fatalf("a snapshot reached Raft: %+v", args)
			}
		}
	})
}
