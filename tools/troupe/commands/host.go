package commands

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"troupe/executor/host"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// hostFlags are what an agent tells a host that it starts.
type hostFlags struct {
	agent, id string
	recovery  flags.Duration
	retry     flags.Duration
	tls       tlsFlags
	log       logFlags
}

func hostCommand(io Streams) *cobra.Command {
	h := new(hostFlags)
	c := &cobra.Command{
		Use: "executor-host", Hidden: true, GroupID: groupCluster, Args: exactly(),
		Short: "Hold executors for an agent, which starts this itself",
	}
	set := c.Flags()
	set.StringVar(&h.agent, "agent", "", "host:port of the agent")
	set.StringVar(&h.id, "host_id", "", "what the agent calls this host")
	duration(set, &h.recovery, "recovery_timeout", 15*time.Minute, "for which a lost agent is waited for")
	duration(set, &h.retry, "executor_reregistration_retry_interval", 500*time.Millisecond, "longest wait between attempts to reach a lost agent")
	h.tls.add(set)
	h.log.add(set)
	c.RunE = func(c *cobra.Command, _ []string) error { return h.run(c.Context(), io) }
	return c
}

func (h *hostFlags) run(ctx context.Context, io Streams) error {
	if h.agent == "" {
		return usageError{errRequired("agent")}
	}
	if h.id == "" {
		return usageError{errRequired("host_id")}
	}
	secure, err := h.tls.client()
	if err != nil {
		return err
	}
	logging, done, err := h.log.logging("executor-host", io.Err)
	if err != nil {
		return err
	}
	err = daemon.RunHost(ctx, daemon.HostOptions{
		Agent: h.agent, HostID: h.id, RecoveryTimeout: time.Duration(h.recovery), ReconnectMax: time.Duration(h.retry), TLS: secure,
		Logging: logging,
	})
	if errors.Is(err, host.ErrAgentGone) {
		err = nil // as it was asked to: nobody is left to tell
	}
	return errors.Join(err, done())
}
