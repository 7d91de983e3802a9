// Package registry holds what a master must not forget, one record per agent,
// framework, quota, weight and machine in maintenance, and the named operations that change it. It is pure: an
// operation is applied to a Registry value and yields the next value and the
// records that differ, which a store then makes durable in one write.
//
//	           AdmitAgent
//	(unknown) ───────────▶ ADMITTED ◀── MarkReachable ── UNREACHABLE
//	    ▲                   │  │  └──── MarkUnreachable ────▶  │
//	    │── RemoveAgent ────┘  │                               │
//	    │                      └──── MarkGone ──▶ GONE ◀───────┘
//	    └──────────────── Prune ────────────────────┴── (old UNREACHABLE too)
//
//	           AdmitFramework            CompleteFramework
//	(unknown) ────────────────▶ ADMITTED ─────────────────▶ COMPLETED
//	    ▲                                                       │
//	    └───────────────────────── Prune ───────────────────────┘
//
// DrainAgent, MarkDrained, DeactivateAgent and ReactivateAgent change what an
// operator wants of an agent that is admitted or unreachable.
//
//	           UpdateMaintenanceSchedule          StartMaintenance
//	(machine up) ────────────────────────▶ DRAINING ─────────────────▶ DOWN
//	    ▲── UpdateMaintenanceSchedule ─────────┘                         │
//	    └────────────────────────── StopMaintenance ─────────────────────┘
//
// UpdateQuota and UpdateWeights replace what is set for the roles they name.
//
// Every operation is idempotent: applied again, it changes nothing. The
// package may be imported by master/state, by the stores and by the master's
// shell.
package registry
