package commands

import (
	"strconv"
	"strings"
	"time"

	"troupe/tools/troupe/isolation"
)

// setPerf reads --perf_events and how often they are counted.
func (g *groupFlags) setPerf(s *isolation.Settings) error {
	s.Cgroups.Perf = isolation.Perf{Interval: time.Duration(g.sampleInterval), Duration: time.Duration(g.sampleLength)}
	for event := range strings.SplitSeq(g.events, ",") {
		if event = strings.TrimSpace(event); event != "" {
			s.Cgroups.Perf.Events = append(s.Cgroups.Perf.Events, event)
		}
	}
	return nil
}

// setClasses reads the halves of classes of packets.
func (g *groupFlags) setClasses(s *isolation.Settings) error {
	classes := &s.Cgroups.Classes
	if g.primary != "" {
		primary, ok := half(g.primary)
		if !ok {
			return flagError("cgroups_net_cls_primary_handle", g.primary, "is no number from 0x0001 to 0xffff")
		}
		classes.Primary = primary
	}
	if g.secondary == "" {
		return nil
	}
	if g.primary == "" {
		return flagError("cgroups_net_cls_secondary_handles", g.secondary, "needs --cgroups_net_cls_primary_handle")
	}
	first, last, _ := strings.Cut(g.secondary, ",")
	var ok, alsoOK bool
	classes.First, ok = half(first)
	classes.Last, alsoOK = half(last)
	if !ok || !alsoOK || classes.First > classes.Last {
		return flagError("cgroups_net_cls_secondary_handles", g.secondary, "is no first and last number, like 0x0001,0x1000")
	}
	return nil
}

// half reads a number like 0x0010 that is not 0.
func half(text string) (uint16, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 0, 16)
	return uint16(n), err == nil && n > 0
}
