package json

import (
	"io"
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"troupe/messages/mesos/master"
)

func state(b *testing.B) ([]byte, *master.Response) {
	text, err := os.ReadFile("testdata/v1_master_GET_STATE.json")
	if err != nil {
		b.Fatal(err)
	}
	var m master.Response
	if err := Unmarshal(text, &m); err != nil {
		b.Fatal(err)
	}
	return Marshal(&m), &m
}

func BenchmarkWrite(b *testing.B) {
	text, m := state(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	text, m := state(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Unmarshal(text, m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProtojson is what the standard encoding of protobuf takes, for
// comparison.
func BenchmarkProtojson(b *testing.B) {
	_, m := state(b)
	text, err := protojson.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := protojson.Marshal(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := protojson.Unmarshal(text, m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
