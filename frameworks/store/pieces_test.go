package store

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"troupe/master/store/batches"
)

// Whatever the values were and are, their records say so, and none is left over.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored := map[string][]byte{}
		model := map[string][]byte{}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			_, pieces, err := joined(all(stored))
			if err != nil {
				t.Fatal(err)
			}
			c := change{key: rapid.SampledFrom([]string{"a", "a1", "b"}).Draw(t, "key")}
			if size := rapid.SampledFrom([]int{-1, 0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 12*pieceBytes + 5}).Draw(t, "size"); size >= 0 {
				c.value = bytes.Repeat([]byte{byte(rapid.IntRange(0, 255).Draw(t, "fill"))}, size)
				model[c.key] = c.value
			} else {
				delete(model, c.key)
			}
			for _, r := range divided(c, pieces[c.key]) {
				if r.Data == nil {
					delete(stored, r.Key)
				} else if stored[r.Key] = r.Data; len(r.Data) > pieceBytes+10 {
					t.Fatalf("record %q has %d bytes", r.Key, len(r.Data))
				}
			}
		}
		values, _, err := joined(all(stored))
		if err != nil || len(values) != len(model) {
			t.Fatalf("%d of %d values: %v", len(values), len(model), err)
		}
		for key, want := range model {
			if got := values[key]; got == nil || !bytes.Equal(got, want) {
				t.Fatalf("%q has %d bytes of %d", key, len(got), len(want))
			}
		}
	})
}

func all(stored map[string][]byte) []batches.Record {
	var records []batches.Record
	for key, data := range stored {
		records = append(records, batches.Record{Key: key, Data: data})
	}
	return records
}

func TestPiecesThatAreWrongAreRefused(t *testing.T) {
	for name, records := range map[string][]batches.Record{
		"no count":         {{Key: "a", Data: nil}},
		"a count of zero":  {{Key: "a", Data: []byte{0}}},
		"a count too high": {{Key: "a", Data: []byte{0xff, 0xff, 0xff, 0xff, 0x7f}}},
		"a piece missing":  {{Key: "a", Data: []byte{2, 1}}, {Key: "b", Data: []byte{1}}},
		"a piece of none":  {{Key: "a\x001", Data: []byte{1}}},
		"a piece too many": {{Key: "a", Data: []byte{1}}, {Key: "a\x001", Data: []byte{1}}},
	} {
		if values, _, err := joined(records); err == nil {
			t.Errorf("%s: read as %v", name, values)
		}
	}
}

func FuzzPieces(f *testing.F) {
	f.Add("a", []byte{1, 'x'}, "a\x001", []byte{2})
	f.Add("a", []byte{2, 'x'}, "a\x001", []byte{2})
	f.Add("a", []byte{0xff}, "", []byte{})
	f.Fuzz(func(t *testing.T, key1 string, data1 []byte, key2 string, data2 []byte) {
		records := []batches.Record{{Key: key1, Data: data1}}
		if key2 != key1 {
			records = append(records, batches.Record{Key: key2, Data: data2})
		}
		values, pieces, err := joined(records)
		n := 0
		for _, p := range pieces {
			n += p
		}
		if err == nil && (n != len(records) || len(values) != len(pieces)) {
			t.Errorf("%d records are %d pieces of %d values", len(records), n, len(values))
		}
	})
}
