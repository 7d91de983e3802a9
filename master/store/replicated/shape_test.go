package replicated

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	boltstore "github.com/hashicorp/raft-boltdb/v2"
)

func TestShapes(t *testing.T) {
	text := strings.Repeat("x", 300)
	for _, good := range []string{
		"\x00", "\x7f", "\xe0", "\xff", "\xc0", "\xc2", "\xc3", "\x80", "\x90", "\xa0", "\xa1x", "\x92\x01\x02", "\x81\xa1k\x01",
		"\xc4\x01x", "\xc5\x00\x01x", "\xc6\x00\x00\x00\x01x", "\xc7\x01\x05x", "\xc8\x00\x01\x05x", "\xc9\x00\x00\x00\x01\x05x",
		"\xca1234", "\xcb12345678", "\xcc1", "\xcd12", "\xce1234", "\xcf12345678", "\xd01", "\xd112", "\xd21234", "\xd312345678",
		"\xd4\x051", "\xd5\x0512", "\xd6\x051234", "\xd7\x0512345678", "\xd8\x051234567890123456",
		"\xd9\x01x", "\xda\x01\x2c" + text, "\xdb\x00\x00\x01\x2c" + text,
		"\xdc\x00\x01\x07", "\xdd\x00\x00\x00\x01\x07", "\xde\x00\x01\x07\x07", "\xdf\x00\x00\x00\x01\x07\x07",
	} {
		if err := checkShape([]byte(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
		if len(good) > 1 && checkShape([]byte(good[:len(good)-1])) == nil {
			t.Errorf("%q: a part of it is believed", good[:len(good)-1])
		}
		if err := checkShape([]byte(good + "\x00")); err == nil || !strings.Contains(err.Error(), "left behind") {
			t.Errorf("%q: with more behind it: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"": "ends within", "\xc1": "begins with 0xc1", strings.Repeat("\x91", 100) + "\x00": "deep in each other",
		"\xdb\xdf\xff\xff\xffx": "3758096383 bytes", "\xdf\xff\xff\xff\xffx": "8589934590 values",
	} {
		if err := checkShape([]byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}

// TestWhatIsStoredHasItsShape: the check refuses nothing that Raft may have
// written.
func TestWhatIsStoredHasItsShape(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	store, err := boltstore.New(boltstore.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	var logs []*raft.Log
	for i, n := range []uint64{0, 1, 31, 32, 127, 128, 255, 256, 65535, 65536, maxEntry} {
		data := bytes.Repeat([]byte{byte(n)}, int(n))
		logs = append(logs,
			&raft.Log{Index: n<<24 + 1, Term: n, Type: raft.LogType(n), Data: data},
			&raft.Log{Index: n<<24 + 2, Term: n << 32, Extensions: data, AppendedAt: time.Unix(int64(i)<<32, int64(n))},
		)
	}
	if err := errors.Join(store.StoreLogs(logs), store.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkFile(path, info.Size()); err != nil {
		t.Error(err)
	}
}

// TestSpoiledLengthsMakeNoRoom: a length that the disk has spoiled is refused
// before anybody makes room for it.
func TestSpoiledLengthsMakeNoRoom(t *testing.T) {
	const enough = 64 << 20
	o, _ := damageable(t)
	whole, err := os.ReadFile(filepath.Join(o.Folder, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Index", "Data", "Extensions", "AppendedAt"} {
		for _, kind := range []byte{0xc6, 0xc9, 0xdb, 0xdd, 0xdf} {
			spoiled := o
			spoiled.Folder = t.TempDir()
			if err := os.WriteFile(filepath.Join(spoiled.Folder, "log.db"), overwrite(whole, name, kind), 0o600); err != nil {
				t.Fatal(err)
			}
			before := allocated()
			if _, err := openDisk(spoiled); !errors.Is(err, ErrDamaged) {
				t.Errorf("%#x behind %q: %v", kind, name, err)
			}
			if got := allocated() - before; got > enough {
				t.Errorf("%#x behind %q: %d bytes of memory were taken", kind, name, got)
			}
		}
	}
}

// overwrite spoils what follows each name.
func overwrite(whole []byte, name string, kind byte) []byte {
	data := bytes.Clone(whole)
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(name))
		if i < 0 {
			return data
		}
		at += i + len(name)
		copy(data[at:], []byte{kind, 0xdf, 0xff, 0xff, 0xff})
	}
}

// allocated is how many bytes of memory were ever taken.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
