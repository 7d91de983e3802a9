package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"troupe/frameworks/service/app"
)

// quiet is after how long a stream without news gets a comment, so that nobody on
// the way takes it for dead.
const quiet = 15 * time.Second

// news are the apps that changed and were not told yet: as many as there are apps
// at most, however slow the client.
type news struct {
	mu    sync.Mutex
	apps  map[app.Path]bool
	ready chan struct{} // of capacity 1
}

func (n *news) add(id app.Path, _ bool) {
	n.mu.Lock()
	n.apps[id] = true
	n.mu.Unlock()
	select {
	case n.ready <- struct{}{}:
	default:
	}
}

// take are those that changed, in order.
func (n *news) take() []app.Path {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := slices.Sorted(maps.Keys(n.apps))
	clear(n.apps)
	return list
}

// stream tells until the client leaves.
func (d *Directory) stream(w http.ResponseWriter, r *http.Request, about scope) {
	n := &news{apps: map[app.Path]bool{}, ready: make(chan struct{}, 1)}
	stop := d.Watch(func(id app.Path, there bool) {
		if about.has(id) {
			n.add(id, there)
		}
	})
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	out := &events{w: w, flush: http.NewResponseController(w).Flush, told: map[app.Path]bool{}}
	for _, s := range d.Services() {
		if about.has(s.App) {
			out.told[s.App] = true
			out.send("service", s)
		}
	}
	out.send("synced", struct{}{})
	tick := time.NewTicker(quiet)
	defer tick.Stop()
	for out.end() {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			out.print(":\n\n")
		case <-n.ready:
			for _, id := range n.take() {
				d.tell(out, id)
			}
		}
	}
}

// tell tells how an app is now; of one that came and went between, nothing.
func (d *Directory) tell(out *events, id app.Path) {
	if s := d.Service(id); s != nil {
		out.told[id] = true
		out.send("service", s)
	} else if out.told[id] {
		delete(out.told, id)
		out.send("removed", Removed{id})
	}
}

// events writes a stream; after the first error nothing more.
type events struct {
	w     http.ResponseWriter
	flush func() error
	told  map[app.Path]bool
	err   error
}

func (e *events) send(name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		e.err = err
		return
	}
	e.print("event: %s\ndata: %s\n\n", name, text)
}

func (e *events) print(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format, args...)
	}
}

// end ends a piece; false when the client is gone.
func (e *events) end() bool {
	if e.err == nil {
		e.err = e.flush()
	}
	return e.err == nil
}
