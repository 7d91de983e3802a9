package core

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// namedInWords is how many roles or frameworks an explanation names.
const namedInWords = 3

// holdText says that nothing is offered after a failover.
func (a *Allocator) holdText() string {
	return fmt.Sprintf("nothing is offered yet: there are quotas, and after the master's failover %d of %d agents are back; "+
		"offers begin with %d %% of them, or after %s", len(a.agents), a.expected, recoveryPercent, longestRecovery)
}

// idleText says why the client is offered nothing, whatever there is.
func (l *leaf) idleText() string {
	switch f := l.framework; {
	case !f.added:
		return "the framework has not subscribed; it is known for what it holds"
	case !f.active:
		return "the framework is not connected"
	case !l.subscribed:
		return "the framework is not subscribed to the role; it still holds something there"
	case l.suppressed:
		return "the framework has suppressed offers in the role; REVIVE asks for them again"
	}
	return ""
}

// tell puts one reason into words.
func (a *Allocator) tell(l *leaf, why cluster.OffersExplained_Reason, t *tally) *cluster.OffersExplained_Agents {
	out := &cluster.OffersExplained_Agents{Reason: why.Enum(), Agents: &t.agents, Examples: t.examples}
	if why == cluster.OffersExplained_REFUSED {
		out.FirstLapse, out.LastLapse = &t.first, &t.last
	}
	verb := "agents"
	if t.agents == 1 {
		verb = "agent"
	}
	out.Text = new(fmt.Sprintf("%d %s: %s", t.agents, verb, a.because(l, why, t)))
	return out
}

// because is what is behind a reason.
func (a *Allocator) because(l *leaf, why cluster.OffersExplained_Reason, t *tally) string {
	switch why {
	case cluster.OffersExplained_NEXT:
		return "something is free for it, which the next look offers"
	case cluster.OffersExplained_UNWANTED:
		return "excluded by the offer constraints that it subscribed with"
	case cluster.OffersExplained_NEEDS_GPUS:
		return "with GPUs, which are for frameworks with the capability GPU_RESOURCES"
	case cluster.OffersExplained_REMOTE:
		return "in another region than the masters, for frameworks with the capability REGION_AWARE"
	case cluster.OffersExplained_RESERVED:
		return a.reservedText(l, t)
	case cluster.OffersExplained_OVER_LIMIT:
		return fmt.Sprintf("the quota of role %s is used up: %s", l.top.role, a.limitsText(l.top))
	case cluster.OffersExplained_GUARANTEED:
		return "what is free is kept for roles whose guarantee is not met, which lack " + a.bundles.index.String(a.required)
	case cluster.OffersExplained_BELOW_MINIMUM:
		return "less is free than is worth offering: " + a.minimumsText(l.minimums)
	case cluster.OffersExplained_REFUSED:
		return "it refused as much; " + a.lapseText(t)
	case cluster.OffersExplained_INACTIVE:
		return "deactivated, draining, away, or not in the masters' whitelist"
	case cluster.OffersExplained_OTHERS:
		return "it was the turn of others, who were offered or use all of it: " + a.holdersText(t)
	case cluster.OffersExplained_LENT:
		return "what is reserved for it is lent to others, who are asked to give it back: " + a.holdersText(t)
	case cluster.OffersExplained_OWN:
		return "all of it is offered to the framework, or in use by it and others"
	}
	return "for a reason that has no words"
}

// mostFirst returns the keys of counts, those with the most first.
func mostFirst[K comparable](counts map[K]int, name func(K) string) []K {
	return slices.SortedFunc(maps.Keys(counts), func(x, y K) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(name(x), name(y)))
	})
}

// named joins the first few parts and says how many more there are.
func named(parts []string) string {
	if more := len(parts) - namedInWords; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(parts[:namedInWords], ", "), more)
	}
	return strings.Join(parts, ", ")
}

func (a *Allocator) reservedText(l *leaf, t *tally) string {
	var parts []string
	for _, role := range mostFirst(t.roles, func(role string) string { return role }) {
		if role != names.AnyRole {
			parts = append(parts, role)
		}
	}
	if len(parts) == 0 {
		return "what is free is revocable, shared or reserved in refinement, which the framework has no capability for"
	}
	text := "what is free is reserved for " + named(parts)
	switch {
	case !a.options.LendReservations:
	case !l.framework.revocable:
		text += "; what they do not want of it is lent, to frameworks with the capability REVOCABLE_RESOURCES"
	default:
		text += "; what they do not want of it is lent, which is none of this now"
	}
	return text
}

func (a *Allocator) limitsText(t *top) string {
	var parts []string
	for n := range t.limits {
		if limit, ok := t.limits.of(n); ok {
			parts = append(parts, fmt.Sprintf("%s of %s %s", t.consumed.Of(n), limit, a.bundles.index.Name(n)))
		}
	}
	return strings.Join(parts, ", ")
}

func (a *Allocator) minimumsText(minimums []resources.Quantities) string {
	parts := make([]string, len(minimums))
	for i, m := range minimums {
		parts[i] = a.bundles.index.String(m)
	}
	return strings.Join(parts, " or ")
}

func (a *Allocator) lapseText(t *tally) string {
	// As the clock has it now, which may have been set since.
	at := func(instant int64) string {
		return a.now.Add(time.Duration(instant - a.instant(a.now))).UTC().Format(time.RFC3339)
	}
	if t.first == t.last {
		return "that holds until " + at(t.last)
	}
	return fmt.Sprintf("that holds until %s on the first of them, until %s on the last", at(t.first), at(t.last))
}

func (a *Allocator) holdersText(t *tally) string {
	var parts []string
	for _, l := range mostFirst(t.holders, func(l *leaf) string { return l.role + "/" + string(l.framework.id) }) {
		parts = append(parts, fmt.Sprintf("%s in role %s on %d (share %.3f)", l.framework.id, l.role, t.holders[l], a.order.Share(l.node)))
	}
	if len(parts) == 0 {
		return "nobody has anything of it, it has nothing"
	}
	return named(parts)
}
