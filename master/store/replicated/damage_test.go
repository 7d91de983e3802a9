package replicated

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// damageable is a folder with a log of some entries, in batches.
func damageable(f testing.TB) (o Options, last uint64) {
	f.Helper()
	o = Options{Folder: f.TempDir(), Address: "h1:1", Masters: []string{"h1:1"}}
	o.Logger = zap.NewNop()
	d, err := openDisk(o)
	if err != nil {
		f.Fatal(err)
	}
	for batch := range uint64(10) {
		var logs []*raft.Log
		for range 8 {
			last++
			logs = append(logs, &raft.Log{Index: last, Term: batch + 1, Data: entryOf(f, last)})
		}
		if err := errors.Join(d.log.StoreLogs(logs), d.log.SetUint64([]byte("CurrentTerm"), batch+1)); err != nil {
			f.Fatal(err)
		}
	}
	if err := d.log.Close(); err != nil {
		f.Fatal(err)
	}
	return o, last
}

func entryOf(t testing.TB, index uint64) []byte {
	t.Helper()
	parts, err := split(1, []*cluster.StoredRecord{{Key: proto.String(fmt.Sprint("agent/S", index)), Record: bytes.Repeat([]byte{byte(index)}, 300)}})
	if err != nil {
		t.Fatal(err)
	}
	return parts[0]
}

// FuzzDamagedLog spoils and cuts the log's file anywhere. It is refused, or all
// that was written is there: but for the last transaction, whose page of the two
// that lead to the rest a crash may have torn before it was answered.
func FuzzDamagedLog(f *testing.F) {
	o, last := damageable(f)
	whole, err := os.ReadFile(filepath.Join(o.Folder, "log.db"))
	if err != nil {
		f.Fatal(err)
	}
	for at := uint(0); at < uint(len(whole)); at += 4096 {
		f.Add(at, []byte{0xff}, uint(0))
		f.Add(at+10, []byte{1, 2, 3, 4, 5, 6, 7, 8}, uint(0))
		f.Add(at+2000, []byte{0}, at)
	}
	for _, name := range numberKeys {
		for at := 0; at < len(whole) && bytes.Contains(whole[at:], []byte(name)); at++ {
			at += bytes.Index(whole[at:], []byte(name))
			f.Add(uint(at), []byte{'0'}, uint(0))
		}
	}
	for _, name := range []string{"Data", "Extensions", "AppendedAt", "Index"} {
		at := uint(bytes.LastIndex(whole, []byte(name)))
		for _, kind := range []byte{0xc6, 0xc9, 0xdb, 0xdd, 0xdf} {
			f.Add(at+uint(len(name)), []byte{kind, 0xdf, 0xff, 0xff, 0xff}, uint(0))
		}
	}
	f.Fuzz(func(t *testing.T, at uint, with []byte, cut uint) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as the code has it: else a fault ends the fuzzer without a word
		data := slices.Clone(whole)
		copy(data[at%uint(len(data)):], with)
		data = data[:uint(len(data))-cut%uint(len(data))]
		spoiled := o
		spoiled.Folder = t.TempDir()
		if err := os.WriteFile(filepath.Join(spoiled.Folder, "log.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := openDisk(spoiled)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("refused without saying what to do: %v", err)
			}
			return
		}
		for i := range last {
			var l raft.Log
			if err := d.log.get(i+1, &l); err != nil || !bytes.Equal(l.Data, entryOf(t, i+1)) {
				t.Errorf("entry %d: %v", i+1, err)
			}
		}
		if term, err := d.log.GetUint64([]byte("CurrentTerm")); err != nil || term < 9 {
			t.Errorf("term %d, %v", term, err)
		}
		if err := d.log.Close(); err != nil {
			t.Error(err)
		}
	})
}
