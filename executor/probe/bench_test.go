package probe

import (
	"net/http/httptest"
	"testing"

	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// BenchmarkHTTP is one question, with whom it is asked: both are in this
// process.
func BenchmarkHTTP(b *testing.B) {
	s := httptest.NewServer(server(b))
	defer s.Close()
	p := New(nil, program.Spec{})
	b.ReportAllocs()
	for b.Loop() {
		if r := p.Probe(b.Context(), httpProbe(s.URL+"/up")); r.Code != 200 {
			b.Fatal(r)
		}
	}
}

// BenchmarkTCP is one connection, with whom it is made to.
func BenchmarkTCP(b *testing.B) {
	s := httptest.NewServer(server(b))
	defer s.Close()
	p := New(nil, program.Spec{})
	b.ReportAllocs()
	for b.Loop() {
		if r := p.Probe(b.Context(), check.Probe{Type: mesos.CheckInfo_TCP, Address: s.Listener.Addr().String()}); !r.Connected {
			b.Fatal(r)
		}
	}
}
