// Package conformance is tests of the HTTP APIs alone: they start masters and
// agents as processes, and speak to them through tools/mesosclient, which knows
// nothing of how they are made. Nobody imports it.
package conformance
