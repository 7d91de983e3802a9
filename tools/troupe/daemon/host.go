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
	"troupe/executor/program"
	"troupe/slave/container"
	"troupe/slave/container/posix"
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
	processes, err := posix.New(func(err error) {
		o.Logging.Logger.Error("A program could not be signalled", zap.Error(err))
	})
	if err != nil {
		return fmt.Errorf("executor host: %w", err)
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	return host.Run(ctx, host.Options{
		Agent: agent, HostID: o.HostID, RecoveryTimeout: o.RecoveryTimeout, ReconnectMax: o.ReconnectMax, Launcher: launcher{processes},
		System: actors.Options{TLS: o.TLS, Logger: o.Logging.Logger},
	})
}

// launcher is a container.Launcher as executor hosts see it.
type launcher struct{ containers container.Launcher }

func (l launcher) Launch(s program.Spec) (program.Process, error) {
	p, err := l.containers.Launch(container.Spec(s))
	if err != nil {
		return nil, err
	}
	return process{p}, nil
}

type process struct{ container.Process }

func (p process) Status() int { return p.Exit().Status }
