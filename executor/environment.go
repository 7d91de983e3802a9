package executor

import (
	"fmt"
	"time"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/spans"
)

// AgentName is the name of an agent's actor.
const AgentName = "agent"

// Config says whose executor it is and how it lives.
type Config struct {
	FrameworkID, ExecutorID string
	// Agent is where the agent's actor is.
	Agent actors.PID
	// Sandbox is the executor's folder.
	Sandbox string
	// ShutdownGracePeriod is how long the agent waits after Shutdown.
	ShutdownGracePeriod time.Duration
	// RecoveryTimeout is how long the executor lives without its agent; 0 means
	// that it ends when the agent is gone.
	RecoveryTimeout time.Duration
	// SubscriptionBackoffMax bounds the wait before a new subscription.
	SubscriptionBackoffMax time.Duration
}

// Defaults of what the environment may leave out.
const (
	DefaultShutdownGracePeriod    = 5 * time.Second
	DefaultRecoveryTimeout        = 15 * time.Minute
	DefaultSubscriptionBackoffMax = 2 * time.Second
)

const shutdownGraceVariable = "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"

// FromEnvironment reads what an agent gives to the executors it starts; lookup
// is os.LookupEnv. Errors name the variable and its value.
func FromEnvironment(lookup func(string) (string, bool)) (Config, error) {
	get := func(name string) string { v, _ := lookup(name); return v }
	c := Config{FrameworkID: get("MESOS_FRAMEWORK_ID"), ExecutorID: get("MESOS_EXECUTOR_ID")}
	for _, name := range []string{"MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID"} {
		if get(name) == "" {
			return Config{}, fmt.Errorf("executor environment: %w: an agent sets it when it starts an executor", field.Missing(name))
		}
	}
	var err error
	if c.Agent, err = agentAddress(get("MESOS_AGENT_ENDPOINT"), get("MESOS_SLAVE_PID")); err != nil {
		return Config{}, fmt.Errorf("executor environment: %w", err)
	}
	if c.Sandbox = get("MESOS_SANDBOX"); c.Sandbox == "" {
		c.Sandbox = get("MESOS_DIRECTORY")
	}
	for _, d := range []struct {
		name    string
		to      *time.Duration
		without time.Duration
	}{
		{shutdownGraceVariable, &c.ShutdownGracePeriod, DefaultShutdownGracePeriod},
		{"MESOS_RECOVERY_TIMEOUT", &c.RecoveryTimeout, DefaultRecoveryTimeout},
		{"MESOS_SUBSCRIPTION_BACKOFF_MAX", &c.SubscriptionBackoffMax, DefaultSubscriptionBackoffMax},
	} {
		*d.to = d.without
		if v := get(d.name); v != "" {
			if *d.to, err = parseDuration(v); err != nil {
				return Config{}, fmt.Errorf("executor environment: %w", field.Invalid(d.name, v, "%s", err))
			}
		}
	}
	if get("MESOS_CHECKPOINT") != "1" {
		c.RecoveryTimeout = 0
	}
	return c, nil
}

// ShutdownGrace is the shutdown grace period in the environment that an agent
// gives to an executor; DefaultShutdownGracePeriod when it has none that can be
// read.
func ShutdownGrace(e *mesos.Environment) time.Duration {
	for _, v := range e.GetVariables() {
		if v.GetName() != shutdownGraceVariable {
			continue
		}
		if d, err := parseDuration(v.GetValue()); err == nil {
			return d
		}
	}
	return DefaultShutdownGracePeriod
}

// agentAddress prefers the endpoint, which names no actor.
func agentAddress(endpoint, pid string) (actors.PID, error) {
	if endpoint != "" {
		p, err := address.Parse(AgentName + "@" + endpoint)
		if err != nil {
			return actors.PID{}, field.Invalid("MESOS_AGENT_ENDPOINT", endpoint, "%s", err)
		}
		return p, nil
	}
	if pid == "" {
		return actors.PID{}, fmt.Errorf("%w, or MESOS_SLAVE_PID", field.Missing("MESOS_AGENT_ENDPOINT"))
	}
	p, err := address.Parse(pid)
	if err != nil {
		return actors.PID{}, field.Invalid("MESOS_SLAVE_PID", pid, "%s", err)
	}
	p.Incarnation = ""
	return p, nil
}

// parseDuration reads "1.5mins" and the like.
func parseDuration(s string) (time.Duration, error) {
	d, err := spans.Parse(s)
	if err == nil && d < 0 {
		err = fmt.Errorf("duration %q is negative", s)
	}
	return d, err
}
