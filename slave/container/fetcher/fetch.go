package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"strconv"
	"sync"
	"time"

	"troupe/slave/container/fetcher/cache"
)

// staging is where things are in the sandbox until all are complete: in a folder for
// each URI, called by its index.
const staging = ".fetching"

func staged(i int) string { return path.Join(staging, strconv.Itoa(i)) }

// job is an order that is carried out.
type job struct {
	order  Order
	client *http.Client
	report *report
	root   *os.Root
	stash  cache.Cache
	// Entries of the cache, by the URI's index; nil where there is none.
	cached []*cache.Entry
	// One archive is unpacked at a time, as that is what takes memory.
	unpacking sync.Mutex
	// patience is how long is waited between attempts at a download.
	patience []time.Duration
}

// means is what else a job works with.
type means struct {
	// drop is called when no more privilege is needed than the user has.
	drop     func(user string) error
	patience []time.Duration
}

// fetch carries out an order. Errors name the URI. Nothing is seen in the sandbox
// before all is there.
func fetch(ctx context.Context, o Order, r *report, m means) (err error) {
	sources, err := parseAll(o.URIs, o.Settings)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(o.Sandbox)
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	j := &job{
		order: o, client: client(o.Settings.stall()), report: r, root: root, cached: make([]*cache.Entry, len(sources)), patience: m.patience,
		stash: cache.Cache{Dir: o.Settings.CacheDir, Size: o.Settings.CacheSize, Patience: o.Settings.stall() + 5*time.Second},
	}
	defer j.client.CloseIdleConnections()
	defer func() {
		for _, e := range j.cached {
			if e != nil {
				e.Close() // was only read
			}
		}
	}()
	// The cache is the agent's: what needs it is done first.
	if err := each(ctx, sources, j.consult); err != nil {
		return err
	}
	if err := m.drop(o.User); err != nil {
		return err
	}
	if err := errors.Join(root.RemoveAll(staging), root.Mkdir(staging, 0o700)); err != nil {
		return explainWrite(err)
	}
	defer func() { err = errors.Join(err, explainWrite(root.RemoveAll(staging))) }()
	if err := each(ctx, sources, j.stage); err != nil {
		return err
	}
	for i := range sources {
		if err := j.place(i, &sources[i]); err != nil {
			return named(&sources[i], err)
		}
	}
	return nil
}

func named(s *source, err error) error { return fmt.Errorf("fetching %s: %w", s.shown, err) }

// consult gets a source from the cache, or into it. Whatever is wrong with the
// cache itself leaves it to be fetched without.
func (j *job) consult(ctx context.Context, i int, s *source) error {
	if !s.Cache || s.address == nil || j.stash.Dir == "" || j.stash.Size <= 0 {
		return nil
	}
	var failure error // of the server
	entry, err := j.stash.Get(ctx, cache.Key(j.order.User, s.Value), func() {
		j.report.sayf("Waiting for %s, which another task fetches into the agent's cache", s.shown)
	}, func(to *cache.Sink) error {
		t := j.report.begin("Fetching %s into the agent's cache", s.shown)
		n, err := j.download(ctx, s, kept{to, s}, t)
		if err == nil {
			t.end("Fetched %s into the agent's cache", s.shown, n)
		}
		var written *writeError
		if err != nil && !errors.As(err, &written) {
			failure = err
		}
		return err
	})
	j.cached[i] = entry
	switch {
	case failure != nil:
		return failure
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		j.report.sayf("Fetching %s without the agent's cache: %v", s.shown, err)
		return nil
	}
	if !entry.Fresh {
		j.report.sayf("Found %s in the agent's cache", s.shown)
	}
	return nil
}

// kept is an entry of the cache that is a download's target.
type kept struct {
	*cache.Sink
	source *source
}

var errEndless = errors.New("the server does not say how long it is: nobody could tell whether it is whole")

func (k kept) Expect(b *body) error {
	if !b.ends && k.source.sum == nil {
		return errEndless
	}
	return k.Sink.Expect(b.size)
}
