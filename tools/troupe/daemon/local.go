package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// localPatience bounds how long the tasks of a local cluster may take to
	// end with it.
	localPatience = 30 * time.Second
	// localBackoff makes agents register at once: there are few.
	localBackoff = 50 * time.Millisecond
)

// LocalOptions make a cluster of one master and some agents in one process;
// what they run are processes of their own.
type LocalOptions struct {
	Master MasterOptions
	// Agent is what each agent is made from. Each listens on the next port that
	// is free, from its Listen on, and has a folder of its own in WorkDir.
	Agent  AgentOptions
	Agents int
	// WorkDir holds everything that the cluster writes.
	WorkDir string
}

// Local is a cluster that runs.
type Local struct {
	Master *Daemon
	Agents []*Agent
}

// StartLocal starts a cluster. Its agents may not have registered yet.
func StartLocal(ctx context.Context, o LocalOptions) (*Local, error) {
	o.Master.WorkDir = filepath.Join(o.WorkDir, "master")
	master, err := StartMaster(ctx, o.Master)
	if err != nil {
		return nil, err
	}
	l := &Local{Master: master}
	o.Agent.Master = master.Address()
	o.Agent.Config.RegistrationBackoff = localBackoff
	for i := range o.Agents {
		o.Agent.WorkDir = filepath.Join(o.WorkDir, "agent-"+strconv.Itoa(i+1))
		agent, next, err := startOnFreePort(o.Agent)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("agent %d: %w", i+1, err), l.Close())
		}
		l.Agents = append(l.Agents, agent)
		o.Agent.Network.Listen = next
	}
	return l, nil
}

// startOnFreePort tries one port after the other, and returns where to go on.
func startOnFreePort(o AgentOptions) (agent *Agent, next string, err error) {
	for {
		agent, err = StartAgent(o)
		host, text, bad := net.SplitHostPort(o.Network.Listen)
		port, wrong := strconv.Atoi(text)
		if bad != nil || wrong != nil || port == 0 {
			return agent, o.Network.Listen, err
		}
		o.Network.Listen = net.JoinHostPort(host, strconv.Itoa(port+1))
		if !errors.Is(err, syscall.EADDRINUSE) || port == 65535 {
			return agent, o.Network.Listen, err
		}
	}
}

// Run waits until ctx is done, or a part fails, and ends the cluster with all
// that it runs.
func (l *Local) Run(ctx context.Context) error {
	failed := make(chan error, 1+len(l.Agents))
	stop := make(chan struct{})
	defer close(stop)
	watch := func(name string, d *Daemon) {
		go func() {
			select {
			case err := <-d.Failed():
				failed <- fmt.Errorf("%s: %w", name, err)
			case <-stop:
			}
		}()
	}
	watch("master", l.Master)
	for i, agent := range l.Agents {
		watch("agent "+strconv.Itoa(i+1), agent.Daemon)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, l.Close())
}

// Close ends every task, then the agents, then the master.
func (l *Local) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), localPatience)
	defer cancel()
	ends := make(chan error)
	for _, agent := range l.Agents {
		go func() { ends <- agent.Shutdown(ctx, "the local cluster ends") }()
	}
	var err error
	for range l.Agents {
		err = errors.Join(err, <-ends)
	}
	l.Agents = nil
	return errors.Join(err, l.Master.Close())
}
