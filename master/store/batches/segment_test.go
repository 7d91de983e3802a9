package batches

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
)

// TestSplit holds that segments hold the records in order, are no larger than
// ZooKeeper takes, and that all but the last say that there is more.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []*cluster.StoredRecord
		for _, size := range rapid.SliceOfN(rapid.IntRange(0, MaxRecord-1), 0, 8).Draw(t, "sizes") {
			records = append(records, &cluster.StoredRecord{Key: proto.String("k"), Record: make([]byte, size)})
		}
		for range rapid.IntRange(0, 40000).Draw(t, "small") {
			records = append(records, &cluster.StoredRecord{Key: proto.String("k"), Record: []byte{}})
		}
		segments, err := split(records)
		if err != nil {
			t.Fatal(err)
		}
		var got []*cluster.StoredRecord
		for i, s := range segments {
			if s.GetMore() != (i < len(segments)-1) {
				t.Fatalf("segment %d of %d says more: %t", i, len(segments), s.GetMore())
			}
			s.ClusterId, s.Number = proto.String(strings.Repeat("c", 36)), proto.Uint64(1<<60)
			if n := proto.Size(s); n > 1<<20-1<<14 {
				t.Fatalf("segment %d has %d bytes", i, n)
			}
			if len(s.GetRecords()) == 0 {
				t.Fatalf("segment %d is empty", i)
			}
			got = append(got, s.GetRecords()...)
		}
		if len(got) != len(records) {
			t.Fatalf("%d of %d records", len(got), len(records))
		}
		for i := range got {
			if got[i] != records[i] {
				t.Fatalf("record %d is another", i)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for name, want := range map[string]bool{
		"0000000000": true, "0000000017": true, "12345678901": true,
		"": false, "17": false, "00000000017": false, "000000001x": false, "+000000001": false, "-000000001": false, "99999999999999999999": false,
	} {
		if n, ok := number(name); ok != want || ok && numbered(n) != name {
			t.Errorf("%q is %d, %t", name, n, ok)
		}
	}
	if _, ok := snapshotNumber("0000000001"); ok {
		t.Error("a snapshot has a name of its own")
	}
}

// FuzzSegment holds that what is read is what was sealed, in the place where it
// was written, or refused.
func FuzzSegment(f *testing.F) {
	foreign := errors.New("foreign")
	p := places{root: "/r", owner: "c", kind: Kind{Foreign: foreign}}
	whole, err := seal(&cluster.RegistrySegment{
		ClusterId: proto.String("c"), Number: proto.Uint64(3),
		Records: []*cluster.StoredRecord{{Key: proto.String("agent/S1"), Record: []byte("abc")}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, uint64(3), -1)
	f.Add(whole, uint64(4), -1)
	f.Add(whole, uint64(3), 7)
	f.Add(whole[:3], uint64(3), -1)
	f.Add([]byte("text of something else"), uint64(0), -1)
	f.Fuzz(func(t *testing.T, data []byte, n uint64, flip int) {
		data = bytes.Clone(data)
		if flip >= 0 && flip < len(data) {
			data[flip] ^= 0x10
		}
		s, err := p.decode("/r/log/x", data, n, nil)
		if err == nil && (s.GetNumber() != n || s.GetClusterId() != "c" || s.Snapshot != nil) {
			t.Errorf("%q in place %d is %v", data, n, s)
		}
		if err != nil && (!errors.Is(err, foreign) || !strings.Contains(err.Error(), "/r/log/x")) {
			t.Errorf("%q: %v", data, err)
		}
		if err == nil && bytes.Equal(data, whole) != (n == 3) && flip >= 0 {
			t.Errorf("%q was changed and is read", data)
		}
	})
}

func TestParallel(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		var sum, most, now atomic.Int64
		err := parallel(4, n, func(i int) error {
			most.Store(max(most.Load(), now.Add(1)))
			sum.Add(int64(i))
			now.Add(-1)
			return nil
		})
		if err != nil || sum.Load() != int64(n*(n-1)/2) || most.Load() > 4 {
			t.Errorf("%d pieces: sum %d, %d at once, %v", n, sum.Load(), most.Load(), err)
		}
	}
	failure := errors.New("failed")
	var done atomic.Int64
	if err := parallel(1, 1000, func(i int) error {
		done.Add(1)
		if i == 5 {
			return failure
		}
		return nil
	}); !errors.Is(err, failure) || done.Load() != 6 {
		t.Errorf("after %d pieces: %v", done.Load(), err)
	}
}
