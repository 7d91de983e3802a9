package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/executor/host"
	"troupe/slave/container/containerizer"
	"troupe/slave/container/linux"
	"troupe/slave/container/posix"
	"troupe/tools/troupe/isolation"
)

// AgentName is the name of an agent's actor.
const AgentName = "agent"

// HostOptions are an executor host's settings.
type HostOptions struct {
	Agent           string // host:port
	HostID          string
	RecoveryTimeout time.Duration
	// The longest wait between attempts to reach a lost agent.
	ReconnectMax time.Duration
	TLS          *tls.Config
	Logging      Logging
}

// RunHost is an executor host, until its agent lets it go.
func RunHost(ctx context.Context, o HostOptions) (err error) {
	agent, err := address.Parse(AgentName + "@" + o.Agent)
	if err != nil {
		return fmt.Errorf("--agent=%q: %w", o.Agent, err)
	}
	report := func(err error) { o.Logging.Logger.Error("something went wrong with a container", zap.Error(err)) }
	processes, err := posix.New(report)
	if err != nil {
		return fmt.Errorf("executor host: %w", err)
	}
	confined, err := linux.New(processes, report)
	if err != nil {
		return errors.Join(fmt.Errorf("executor host: %w", err), processes.Close())
	}
	defer func() { err = errors.Join(err, processes.Close(), confined.Close()) }()
	made := containerizer.Options{Plain: processes, Confined: confined, Report: report}
	return host.Run(ctx, host.Options{
		Agent: agent, HostID: o.HostID, RecoveryTimeout: o.RecoveryTimeout, ReconnectMax: o.ReconnectMax,
		Containers: isolation.NewContainers(made),
		System:     actors.Options{TLS: o.TLS, Logger: o.Logging.Logger},
	})
}
