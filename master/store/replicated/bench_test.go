package replicated

import (
	"fmt"
	"testing"
	"time"

	"troupe/master/election"
	"troupe/master/registry"
)

// benchmarkEnsemble is three masters in one process, whose messages cost
// nothing: what is measured is the log, its syncs and the copies.
func benchmarkEnsemble(b *testing.B, masters int) (*ensemble, election.Registry) {
	e := newEnsemble(b, masters)
	e.options = func(o *Options) { o.ElectionTimeout = 2 * time.Second }
	e.startAll()
	_, term := e.elect()
	return e, e.registry(term)
}

// BenchmarkWrite is one operation of the registrar at a time, each durable on
// two disks of three (which are one disk here).
func BenchmarkWrite(b *testing.B) {
	for _, masters := range []int{1, 3} {
		b.Run(fmt.Sprintf("masters=%d", masters), func(b *testing.B) {
			_, r := benchmarkEnsemble(b, masters)
			for i := 0; b.Loop(); i++ {
				if err := r.Write(b.Context(), admitted(fmt.Sprintf("S%d", i))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWriteBatch is 1,000 operations that waited, written together.
func BenchmarkWriteBatch(b *testing.B) {
	_, r := benchmarkEnsemble(b, 3)
	batch := agents(1000)
	for b.Loop() {
		if err := r.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "operations/s")
}

// BenchmarkRecover opens a replica with 50,000 agents in its snapshot, is
// elected, and loads them.
func BenchmarkRecover(b *testing.B) {
	e, r := benchmarkEnsemble(b, 1)
	if err := r.Write(b.Context(), agents(50_000)); err != nil {
		b.Fatal(err)
	}
	if err := e.nodes["h1:5050"].raft.Snapshot().Error(); err != nil {
		b.Fatal(err)
	}
	e.options = nil
	var opening, loading time.Duration
	for b.Loop() {
		e.stop("h1:5050")
		began := time.Now()
		e.start("h1:5050")
		opening += time.Since(began)
		_, term := e.elect()
		r := e.registry(term)
		began = time.Now()
		if got := len(e.ids(r)); got != 50_000 {
			b.Fatalf("%d agents", got)
		}
		loading += time.Since(began)
	}
	b.ReportMetric(opening.Seconds()/float64(b.N), "s/open")
	b.ReportMetric(loading.Seconds()/float64(b.N), "s/load")
}

func agents(n int) []registry.Change {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-S%d", i)
	}
	return admitted(ids...)
}
