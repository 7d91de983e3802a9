package election

import (
	"context"
	"errors"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// ErrClosed is wrapped by what a closed contest or detector answers.
var ErrClosed = errors.New("closed")

// Detector tells who leads. Its methods may be called from any goroutine.
type Detector interface {
	// Leader blocks until the leader is another than known, and returns it; nil
	// is nobody, in both places. Leaders are told apart by MasterInfo.id, which
	// is new at each start of a master. While the electors cannot be asked, who
	// led last counts as the leader. An error that is not the context's is for
	// good: asking again cannot help.
	Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error)
	// Close ends every Leader that waits, with ErrClosed.
	Close() error
}

// Contest is the part that one master has in an election.
type Contest interface {
	Detector
	// Lead stands as a candidate and blocks until this master is elected. It
	// keeps trying while the electors cannot be reached. An error that is not
	// the context's is for good: wrong credentials, or a candidacy that was lost
	// before it was won. It is called once.
	Lead(ctx context.Context) (Term, error)
}

// Term is one master's time as the leader. At most one term of a cluster can
// write its registry; one that ended cannot write it again, whatever its
// process believes.
type Term interface {
	// Lost is closed when the term has ended, or may have. The process must
	// acknowledge nothing from then on, and exit.
	Lost() <-chan struct{}
	// Err is why the term ended, in words for an operator; nil before.
	Err() error
	// Registry opens the cluster's registry for this term, making a new one
	// where there is none. Writing it fails for good once the term has ended.
	Registry(ctx context.Context, o Opening) (Registry, error)
}

// Opening says which registry is meant.
type Opening struct {
	// NewCluster is the id of the cluster, where the registry is made.
	NewCluster string
	// Expect is the id that a registry must have that is there already; one
	// that is not there is then refused too. Empty: any.
	Expect string
}

// Registry is a registry that one term may write. Its methods, but for Size,
// are called from one goroutine at a time. After an error of Write nobody knows
// what is stored, and the term must end.
type Registry interface {
	// ClusterID is the id that the cluster got when its registry was made.
	ClusterID() string
	// Load returns every record.
	Load(ctx context.Context) ([]*cluster.RegistryRecord, error)
	// Write makes changes durable before it returns: all of them, or none.
	Write(ctx context.Context, changes []registry.Change) error
	// Size of what is stored, in bytes.
	Size() int64
	Close() error
}
