package allocation

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// mostDeclined bounds how many offers a work declines.
const mostDeclined = 1_000_000

const large = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]"

// partly tells of frameworks and of agents of which one framework each holds a
// part, of which every agent has the mem given.
func partly(s Size, mem int) *rig {
	r := newRig()
	r.tell(everybody(s.Frameworks, "*")...)
	held := listed(fmt.Sprintf("cpus:16;mem:%d;disk:1024;%s", mem, fragmented(16)))
	for i := range s.Agents {
		m := agent(i, large)
		m.Used = used(i%s.Frameworks, "*", clones(held))
		r.tell(m)
	}
	return r
}

// DeclineOffers lets every framework decline every agent, for ever, though no
// more than a million in all; and then looks at all agents for all frameworks in vain.
func DeclineOffers(s Size) []Figure { return declined(partly(s, 2014), s) }

// declined is DeclineOffers in a cluster whose frameworks have the role "*".
func declined(r *rig, s Size) []Figure {
	rounds := min(2*s.Frameworks, max(2, mostDeclined/s.Agents))
	first := Figure{What: fmt.Sprintf("first pass, %d offers", s.Agents), Took: r.allocate()}
	mean := Figure{What: "mean of passes"}
	for range rounds {
		r.giveBack(r.take(), ever)
		mean.Took += r.allocate() / time.Duration(rounds)
	}
	// Told again they keep their filters, and all is looked at for all.
	last := Figure{What: "pass in vain, all filtered"}
	for range 3 {
		r.tell(everybody(s.Frameworks, "*")...)
		last.Took += r.allocate() / 3
	}
	return []Figure{first, mean, last}
}

// ResourceLabels is DeclineOffers with agents that have two reservations each,
// of twelve labels, the last of which no other agent has.
func ResourceLabels(s Size) []Figure {
	r := newRig()
	r.tell(everybody(s.Frameworks, "*")...)
	for i := range s.Agents {
		m := agent(i, large)
		for k := range 2 {
			labels := &mesos.Labels{}
			for n := range 11 {
				labels.Labels = append(labels.Labels, label(fmt.Sprint("key", n), "value"))
			}
			labels.Labels = append(labels.Labels, label(fmt.Sprint("unique", k), fmt.Sprint(i)))
			m.Agent.Resources = append(m.Agent.Resources, reserve("role1", listed("cpus:1;mem:128"), labels)...)
		}
		r.tell(m)
	}
	return declined(r, s)
}

func label(key, value string) *mesos.Label { return &mesos.Label{Key: &key, Value: &value} }

// SuppressOffers offers all agents five times, while ever more frameworks
// suppress, in the end all.
func SuppressOffers(s Size) []Figure { return suppressed(s, s.Frameworks/5, 5) }

// ExtremeSuppressOffers offers all agents five times, while 99 % of all
// frameworks suppress.
func ExtremeSuppressOffers(s Size) []Figure { return suppressed(s, s.Frameworks*99/100, 1) }

func suppressed(s Size, each, times int) []Figure {
	r := partly(s, 1024)
	const rounds = 5
	first := Figure{What: fmt.Sprintf("first pass, %d offers", s.Agents), Took: r.allocate()}
	last := Figure{What: "last pass"}
	done := 0
	for round := range rounds {
		if round < times {
			r.tell(messagesOf(each, func(i int) proto.Message {
				return &cluster.SuppressOffers{FrameworkId: frameworkID(done + i)}
			})...)
			done += each
		}
		r.giveBack(r.take(), 0)
		last.Took = r.allocate()
	}
	return []Figure{first, last}
}
