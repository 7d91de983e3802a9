package mesosclient

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"troupe/messages/mesos/scheduler"
)

// What a Mesos master sent, read as it would be from the network.
func TestRecordedEvents(t *testing.T) {
	data, err := os.ReadFile("testdata/events.recordio")
	if err != nil {
		t.Fatal(err)
	}
	records := NewRecords(bytes.NewReader(data))
	var got []scheduler.Event_Type
	for {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var e scheduler.Event
		if err := (JSON{}).Unmarshal(record, &e); err != nil {
			t.Fatalf("%v: %s", err, record)
		}
		got = append(got, e.GetType())
		if offers := e.GetOffers().GetOffers(); len(offers) > 0 && offers[0].GetResources()[0].GetRanges().GetRange()[0].GetEnd() != 32000 {
			t.Errorf("an offer of %v", offers[0].GetResources())
		}
	}
	if len(got) < 3 || got[0] != scheduler.Event_SUBSCRIBED || got[1] != scheduler.Event_HEARTBEAT || got[2] != scheduler.Event_OFFERS {
		t.Errorf("events %v", got)
	}
}

func TestRecords(t *testing.T) {
	for _, c := range []struct{ in, records, err string }{
		{"", "", "EOF"},
		{"3\nabc", "abc", "EOF"},
		{"\n\n3\nabc\n0\n2\nde", "abc||de", "EOF"},
		{"3\nab", "", "unexpected EOF"},
		{"3", "", "unexpected EOF"},
		{"3\n", "", "unexpected EOF"},
		{"-1\na", "", `the length of a record begins "-"`},
		{"3 \nabc", "", `the length of a record begins "3 "`},
		{"99999999999\n", "", "a record of 99999999999 bytes: more than"},
		{"999999999999999999999\n", "", `the length of a record begins`},
	} {
		r := NewRecords(strings.NewReader(c.in))
		var all []string
		var err error
		for err == nil {
			var record []byte
			if record, err = r.Next(); err == nil {
				all = append(all, string(record))
			}
		}
		if got := strings.Join(all, "|"); got != c.records || !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%q: records %q, error %q; want %q, %q", c.in, got, err, c.records, c.err)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte("3\nabc\n2\nde"))
	f.Add([]byte("99\nabc"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var first [][]byte
		var framed []byte
		r := NewRecords(bytes.NewReader(in))
		for record, err := r.Next(); err == nil; record, err = r.Next() {
			first = append(first, record)
			framed = append(framed, Record(record)...)
		}
		again := NewRecords(bytes.NewReader(framed))
		for i, want := range first {
			if got, err := again.Next(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("record %d was %q and is %q, %v", i, want, got, err)
			}
		}
	})
}
