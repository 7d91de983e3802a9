package api

import (
	"fmt"
	"testing"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/client/walk"
)

// Who walks over the API as it is described finds nothing amiss, and leaves no
// method of any resource out.
func TestWalk(t *testing.T) {
	w := newTown(t)
	for _, finding := range walk.Walk(t.Context(), walk.Options{Client: client.New(w.base), Group: "/walk", Command: "sleep 1000", Ours: true, Abdicate: true}) {
		t.Error(finding)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for to, methods := range w.routes {
		for method := range methods {
			if w.asked[fmt.Sprint(method, " ", to)] == nil {
				t.Errorf("nobody asked %s of resource %d", method, to)
			}
		}
	}
}
