package store_test

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/store"
	"troupe/master/store/storetest"
	"troupe/messages/cluster"
)

// writeAgentsOnly writes a registry as format 1 had it.
func writeAgentsOnly(t *testing.T, path string, records ...*cluster.AgentRecord) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		agents, err := tx.CreateBucket([]byte("agents"))
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := agents.Put([]byte(r.GetAgent().GetId().GetValue()), sealedProto(t, r)); err != nil {
				return err
			}
		}
		header, err := tx.CreateBucket([]byte("header"))
		if err != nil {
			return err
		}
		count := binary.BigEndian.AppendUint64(nil, uint64(len(records)))
		if err := header.Put([]byte("records"), []byte(seal(string(count)))); err != nil {
			return err
		}
		return header.Put([]byte("header"), sealedProto(t, &cluster.RegistryHeader{
			ClusterId: proto.String("old"), Format: proto.Uint32(1),
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func sealedProto(t *testing.T, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(seal(string(data)))
}

func TestARegistryOfTheFormatBeforeIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	admitted := storetest.Record("S1", cluster.AgentRecord_ADMITTED)
	gone := storetest.Record("S2", cluster.AgentRecord_GONE)
	writeAgentsOnly(t, path, admitted.GetAgent(), gone.GetAgent())
	for range 2 { // the second time it has today's format
		f := open(t, path)
		records, err := f.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.ClusterID() != "old" || len(records) != 2 || !proto.Equal(records[0], admitted) || !proto.Equal(records[1], gone) {
			t.Errorf("cluster %q has %v", f.ClusterID(), records)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, path)
	if err := f.Write(t.Context(), []registry.Change{storetest.Admit("S3"), {Key: registry.AgentKey("S1")}}); err != nil {
		t.Fatal(err)
	}
	if records, err := f.Load(t.Context()); err != nil || len(records) != 2 {
		t.Errorf("after a write it has %v, and %v", records, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedRegistryOfTheFormatBeforeIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"record without checksum": func(t *testing.T, path string) { putRaw(t, path, "agents", "S1", "abc") },
		"record that is no message": func(t *testing.T, path string) {
			putRaw(t, path, "agents", "S1", seal("\xff\xff"))
		},
		"record of another agent": func(t *testing.T, path string) {
			putRaw(t, path, "agents", "S1", string(sealedProto(t, storetest.Record("S2", cluster.AgentRecord_ADMITTED).GetAgent())))
		},
		"a record more": func(t *testing.T, path string) {
			putRaw(t, path, "agents", "S2", string(sealedProto(t, storetest.Record("S2", cluster.AgentRecord_ADMITTED).GetAgent())))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "registry.db")
			writeAgentsOnly(t, path, storetest.Record("S1", cluster.AgentRecord_ADMITTED).GetAgent())
			spoil(t, path)
			for range 2 { // it stays as it is
				_, err := store.Open(path, "c")
				if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
					t.Errorf("got %v, want an error that names the file and says what to do", err)
				}
			}
		})
	}
}
