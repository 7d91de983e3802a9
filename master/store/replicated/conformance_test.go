package replicated

import (
	"context"
	"testing"
	"testing/synctest"

	"troupe/master/election"
	"troupe/master/registry"
	"troupe/master/store/storetest"
	"troupe/messages/cluster"
)

// opened is the registry of an ensemble that lives from its opening to Close.
type opened struct {
	election.Registry
	ensemble *ensemble
}

func (o opened) Close() error {
	for _, m := range o.ensemble.masters {
		o.ensemble.stop(m)
	}
	return o.Registry.Close()
}

func testConformance(t *testing.T, masters int) {
	ensembles := make(map[string]*ensemble)
	storetest.RunWithin(t, synctest.Test, func(t *testing.T) storetest.Store {
		e := ensembles[t.Name()]
		if e == nil {
			e = newEnsemble(t, masters)
			ensembles[t.Name()] = e
		}
		e.startAll()
		_, term := e.elect()
		return opened{e.registry(term), e}
	})
}

// TestFence: each term ends the one before, whose master is cut off and does not
// know it.
func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnsemble(t, 3)
		e.startAll()
		leads, cut := "", ""
		storetest.Fence(t, func(*testing.T) storetest.Store {
			if cut != "" {
				e.net.isolate(cut, false)
			}
			if cut = leads; cut != "" {
				e.net.isolate(cut, true)
				node := e.nodes[cut]
				delete(e.nodes, cut) // stands no more
				defer func() { e.nodes[cut] = node }()
			}
			var term election.Term
			leads, term = e.elect()
			return e.registry(term)
		})
	})
}

func TestConformanceOfOne(t *testing.T) { testConformance(t, 1) }

func TestConformanceOfThree(t *testing.T) { testConformance(t, 3) }

var _ interface {
	Load(context.Context) ([]*cluster.RegistryRecord, error)
	Write(context.Context, []registry.Change) error
} = opened{}
