package detector

import (
	"context"

	"troupe/master/election/zookeeper"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// elected is the detector among masters that ZooKeeper elects. It needs no
// doubts: ZooKeeper tells when the leader's session ends, and until then nobody
// else leads.
type elected struct {
	*zookeeper.Detector
	options zookeeper.Options
	ask     asker
}

func newElected(at masters.ZooKeeper, o Options) *elected {
	watch := zookeeper.Options{Place: at, Logger: o.Logger}
	return &elected{Detector: zookeeper.NewDetector(watch), options: watch, ask: newQuestions(o)}
}

// Doubt implements Detector.
func (e *elected) Doubt(string, string) {}

// Suspect implements Detector.
func (e *elected) Suspect(string) {}

// Masters implements Detector: it asks those that stand for election.
func (e *elected) Masters(ctx context.Context) ([]Standing, error) {
	candidates, err := zookeeper.Candidates(ctx, e.options)
	if err != nil {
		return nil, err
	}
	l := &list{ask: e.ask} // not to search with
	for _, c := range candidates {
		if at := addressOf(c); at != "" {
			l.candidates = append(l.candidates, at)
		}
	}
	standings, err := l.Masters(ctx)
	leader := (*mesos.MasterInfo)(nil)
	if len(candidates) > 0 {
		leader = candidates[0]
	}
	for i := range standings {
		if standings[i].Leader == nil {
			standings[i].Leader = leader // as ZooKeeper has it
		}
	}
	return standings, err
}
