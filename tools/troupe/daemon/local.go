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
	// Frameworks are started when there are agents.
	Frameworks []LocalFramework
	// WorkDir holds everything that the cluster writes.
	WorkDir string
}

// LocalFramework is a framework of a local cluster.
type LocalFramework struct {
	Name string
	// Listen is host:port; if the port is in use, the next one that is free is taken.
	Listen string
	// Start starts it at a master's address, with a file for its state.
	Start func(ctx context.Context, listen, master, state string) (*Daemon, error)
}

// Local is a cluster that runs.
type Local struct {
	Master *Daemon
	Agents []*Agent
	// Frameworks are in the order of the options.
	Frameworks []RunningFramework
}

// RunningFramework is a framework of a local cluster that runs.
type RunningFramework struct {
	Name string
	*Daemon
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
	for _, f := range o.Frameworks {
		state := filepath.Join(o.WorkDir, f.Name)
		d, _, err := onFreePort(f.Listen, func(listen string) (*Daemon, error) { return f.Start(ctx, listen, master.Address(), state) })
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.Name, err), l.Close())
		}
		l.Frameworks = append(l.Frameworks, RunningFramework{f.Name, d})
	}
	return l, nil
}

// startOnFreePort tries one port after the other, and returns where to go on.
func startOnFreePort(o AgentOptions) (agent *Agent, next string, err error) {
	return onFreePort(o.Network.Listen, func(listen string) (*Agent, error) {
		o.Network.Listen = listen
		return StartAgent(o)
	})
}

// onFreePort starts something on the first port that is free, and returns where to
// go on.
func onFreePort[T any](listen string, start func(listen string) (T, error)) (started T, next string, err error) {
	for {
		started, err = start(listen)
		host, text, bad := net.SplitHostPort(listen)
		port, wrong := strconv.Atoi(text)
		if bad != nil || wrong != nil || port == 0 {
			return started, listen, err
		}
		listen = net.JoinHostPort(host, strconv.Itoa(port+1))
		if !errors.Is(err, syscall.EADDRINUSE) || port == 65535 {
			return started, listen, err
		}
	}
}

// Run waits until ctx is done, or a part fails, and ends the cluster with all
// that it runs.
func (l *Local) Run(ctx context.Context) error {
	failed := make(chan error, 1+len(l.Agents)+len(l.Frameworks))
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
	for _, f := range l.Frameworks {
		watch(f.Name, f.Daemon)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, l.Close())
}

// Close ends the frameworks, then every task, then the agents, then the master.
func (l *Local) Close() error {
	var err error
	for _, f := range l.Frameworks {
		err = errors.Join(err, f.Close())
	}
	l.Frameworks = nil
	ctx, cancel := context.WithTimeout(context.Background(), localPatience)
	defer cancel()
	ends := make(chan error)
	for _, agent := range l.Agents {
		go func() { ends <- agent.Shutdown(ctx, "the local cluster ends") }()
	}
	for range l.Agents {
		err = errors.Join(err, <-ends)
	}
	l.Agents = nil
	return errors.Join(err, l.Master.Close())
}
