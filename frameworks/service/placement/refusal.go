package placement

import (
	"fmt"
	"strings"

	"troupe/frameworks/match"
	"troupe/frameworks/service/wire"
	"troupe/messages/resources"
)

// Refusal is why an offer does not do, all that is wrong with it in the order in
// which wire.Funnel looks at it. Never empty.
type Refusal []Why

// Reasons are the names of what is wrong, each one of wire's.
func (r Refusal) Reasons() []string {
	names := make([]string, 0, len(r))
	for i := range r {
		names = append(names, r[i].Reason)
	}
	return names
}

// String says all of it, for people.
func (r Refusal) String() string {
	texts := make([]string, 0, len(r))
	for i := range r {
		texts = append(texts, r[i].String())
	}
	return strings.Join(texts, "; ")
}

// Why is one thing that is wrong with an offer.
type Why struct {
	// Reason is one of wire's, such as wire.InsufficientCpus.
	Reason string
	// Wanted and Has are amounts, of Insufficient reasons but that of ports.
	Wanted, Has resources.Milli
	// Constraint is what does not hold; nil with other reasons.
	Constraint *match.Refusal
	text       string
}

var amounts = map[string]string{
	wire.InsufficientCpus: "cpus", wire.InsufficientMemory: "MiB of mem",
	wire.InsufficientDisk: "MiB of disk", wire.InsufficientGpus: "gpus",
}

// String says it for people: "wants 2 cpus, 0.5 are offered".
func (w Why) String() string {
	switch {
	case w.text != "":
		return w.text
	case w.Constraint != nil:
		return w.Constraint.String()
	}
	return fmt.Sprintf("wants %s %s, %s are offered", w.Wanted, amounts[w.Reason], w.Has)
}

func no(reason, format string, args ...any) Refusal {
	return Refusal{{Reason: reason, text: fmt.Sprintf(format, args...)}}
}
