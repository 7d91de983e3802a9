package replicated

import (
	"context"
	"testing"

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
	storetest.Run(t, func(t *testing.T) storetest.Store {
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

func TestConformanceOfOne(t *testing.T) { testConformance(t, 1) }

func TestConformanceOfThree(t *testing.T) { testConformance(t, 3) }

var _ interface {
	Load(context.Context) ([]*cluster.RegistryRecord, error)
	Write(context.Context, []registry.Change) error
} = opened{}
