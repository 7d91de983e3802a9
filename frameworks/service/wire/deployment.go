package wire

import "troupe/frameworks/service/app"

// Actions of deployments.
const (
	StartApplication   = "StartApplication"
	StopApplication    = "StopApplication"
	ScaleApplication   = "ScaleApplication"
	RestartApplication = "RestartApplication"
)

// Deployment as GET /v2/deployments has it (A.13). No list may be nil: clients
// count them all.
type Deployment struct {
	ID             string          `json:"id"`
	Version        string          `json:"version"`
	AffectedApps   []app.Path      `json:"affectedApps"`
	AffectedPods   []string        `json:"affectedPods"`
	Steps          []Step          `json:"steps"`
	CurrentActions []CurrentAction `json:"currentActions"`
	CurrentStep    int             `json:"currentStep"` // from 1
	TotalSteps     int             `json:"totalSteps"`
}

// NewDeployment is a deployment with its lists made; its total is that of steps.
func NewDeployment(id string, version app.Version, steps []Step) Deployment {
	if steps == nil {
		steps = []Step{}
	}
	return Deployment{
		ID: id, Version: version.String(), AffectedApps: []app.Path{}, AffectedPods: []string{},
		Steps: steps, CurrentActions: []CurrentAction{}, TotalSteps: len(steps),
	}
}

// Step of a deployment: what is done at once.
type Step struct {
	Actions []Action `json:"actions"`
}

// Action on an app.
type Action struct {
	Action string   `json:"action"`
	App    app.Path `json:"app"`
}

// CurrentAction is one that is being done. Results may be empty but not nil.
type CurrentAction struct {
	Action  string            `json:"action"`
	App     app.Path          `json:"app"`
	Results []ReadinessResult `json:"readinessCheckResults"`
}

// Plan is a deployment as events have it. Strict clients need both groups; only
// the light format leaves them out.
type Plan struct {
	ID       string `json:"id"`
	Original *Group `json:"original,omitempty"`
	Target   *Group `json:"target,omitempty"`
	Steps    []Step `json:"steps"`
	Version  string `json:"version"`
}

// Result of a change.
type Result struct {
	Version      string `json:"version"`
	DeploymentID string `json:"deploymentId"`
}

// Queue is what waits for offers (A.20).
type Queue struct {
	Queue []QueueItem `json:"queue"`
}

// QueueItem is an app with instances that are still to be launched.
type QueueItem struct {
	Count        int           `json:"count"`
	Role         string        `json:"role,omitempty"` // only if it is not the framework's default
	Delay        Delay         `json:"delay"`
	Since        string        `json:"since"`
	Summary      OffersSummary `json:"processedOffersSummary"`
	UnusedOffers []UnusedOffer `json:"lastUnusedOffers,omitzero"` // only if it was asked for
	App          *App          `json:"app"`
}

// Delay before the next launch. Overdue is that it has passed.
type Delay struct {
	TimeLeftSeconds int64 `json:"timeLeftSeconds"`
	Overdue         bool  `json:"overdue"`
}

// OffersSummary tells what became of offers. The lists may be empty but not nil.
type OffersSummary struct {
	Processed     int             `json:"processedOffersCount"`
	Unused        int             `json:"unusedOffersCount"`
	LastUnusedAt  string          `json:"lastUnusedOfferAt,omitempty"`
	LastUsedAt    string          `json:"lastUsedOfferAt,omitempty"`
	LastOffers    []RejectSummary `json:"rejectSummaryLastOffers"`
	LaunchAttempt []RejectSummary `json:"rejectSummaryLaunchAttempt"`
}

// Reasons for which an offer is not used, in the order in which they are looked at.
const (
	UnfulfilledRole         = "UnfulfilledRole"
	UnfulfilledConstraint   = "UnfulfilledConstraint"
	NoReservationFound      = "NoCorrespondingReservationFound"
	AgentMaintenance        = "AgentMaintenance"
	InsufficientCpus        = "InsufficientCpus"
	InsufficientMemory      = "InsufficientMemory"
	InsufficientDisk        = "InsufficientDisk"
	InsufficientGpus        = "InsufficientGpus"
	InsufficientPorts       = "InsufficientPorts"
	DeclinedScarceResources = "DeclinedScarceResources"
)

// Funnel is a summary of refusals: each reason sees what those before it let
// through, out of all offers. declined has how many each reason struck.
func Funnel(processed int, declined map[string]int) []RejectSummary {
	order := []string{
		UnfulfilledRole, UnfulfilledConstraint, NoReservationFound, AgentMaintenance, InsufficientCpus,
		InsufficientMemory, InsufficientDisk, InsufficientGpus, InsufficientPorts, DeclinedScarceResources,
	}
	summary := make([]RejectSummary, 0, len(order))
	for _, reason := range order {
		summary = append(summary, RejectSummary{reason, declined[reason], processed})
		processed -= declined[reason]
	}
	return summary
}

// RejectSummary tells how many offers a reason struck of how many it saw.
type RejectSummary struct {
	Reason    string `json:"reason"`
	Declined  int    `json:"declined"`
	Processed int    `json:"processed"`
}

// UnusedOffer is an offer that was not used, and why.
type UnusedOffer struct {
	Offer     any      `json:"offer"`
	Reason    []string `json:"reason"`
	Timestamp string   `json:"timestamp"`
}
