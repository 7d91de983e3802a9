package view

// AgentID is "<master id>-S<n>".
type AgentID string

// FrameworkID is "<master id>-<nnnn>", or what a framework brought along from
// a master that is no longer known.
type FrameworkID string

// TaskID is chosen by a framework and unique within it.
type TaskID string

// ExecutorID is chosen by a framework and unique within it on one agent.
type ExecutorID string

// OfferID is "<master id>-O<n>".
type OfferID string
