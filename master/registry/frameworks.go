package registry

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// AdmitFramework adds a framework, or replaces the info of one that is known.
// One that is completed is refused.
type AdmitFramework struct {
	// With its id.
	Framework *mesos.FrameworkInfo
	At        time.Time
}

func (o AdmitFramework) changes(r Registry) ([]Change, error) {
	id := o.Framework.GetId().GetValue()
	if id == "" {
		return nil, fmt.Errorf("admit framework: framework.id is empty: %w", ErrConflict)
	}
	have := r.Framework(id)
	next := &cluster.FrameworkRecord{
		FrameworkId: o.Framework.GetId(), Status: cluster.FrameworkRecord_ADMITTED.Enum(),
		Since: timeInfo(o.At), Framework: o.Framework,
	}
	switch {
	case have == nil:
	case have.GetStatus() == cluster.FrameworkRecord_COMPLETED:
		return nil, fmt.Errorf("admit framework %q: it is completed: %w", id, ErrConflict)
	case proto.Equal(have.GetFramework(), o.Framework):
		return nil, nil
	default:
		next.Since = have.GetSince()
	}
	return []Change{frameworkChange(next)}, nil
}

// CompleteFramework ends a framework for good, also one that the registry does
// not know: nobody with its id is admitted again.
type CompleteFramework struct {
	FrameworkID string
	At          time.Time
}

func (o CompleteFramework) changes(r Registry) ([]Change, error) {
	if o.FrameworkID == "" {
		return nil, fmt.Errorf("complete framework: its id is empty: %w", ErrConflict)
	}
	if r.Framework(o.FrameworkID).GetStatus() == cluster.FrameworkRecord_COMPLETED {
		return nil, nil
	}
	return []Change{frameworkChange(&cluster.FrameworkRecord{
		FrameworkId: &mesos.FrameworkID{Value: &o.FrameworkID},
		Status:      cluster.FrameworkRecord_COMPLETED.Enum(),
		Since:       timeInfo(o.At),
	})}, nil
}

func frameworkChange(r *cluster.FrameworkRecord) Change {
	return Change{Key: FrameworkKey(r.GetFrameworkId().GetValue()), Record: FrameworkRecord(r)}
}
