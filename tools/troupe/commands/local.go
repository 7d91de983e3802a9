package commands

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"troupe/master/state"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/sandbox"
	slave "troupe/slave/state"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/isolation"
	"troupe/tools/troupe/show"
)

const (
	// localRecovery is how long executors outlive a local cluster that was
	// killed: nobody will come back for them.
	localRecovery = flags.Duration(5 * time.Second)
	// localRetry is how often they look for it.
	localRetry = flags.Duration(500 * time.Millisecond)
	// readyPatience is how long the agents of a local cluster may take.
	readyPatience = 30 * time.Second
	readyPoll     = 10 * time.Millisecond
	// quietLevel is what a person wants to see of a cluster that is looked at.
	quietLevel = "error"
)

// localFlags make a cluster on this machine.
type localFlags struct {
	ip, workDir             string
	port, agentPort, agents int
	machine                 machineFlags
	switchUser, demo        bool
	tls                     tlsFlags
	access                  localAccess
	log                     logFlags
	frameworks              localFrameworks
}

func localCommand(io Streams) *cobra.Command {
	l := new(localFlags)
	c := &cobra.Command{
		Use: "local", GroupID: groupCluster, Args: exactly(),
		Short: "Run a whole cluster on this machine",
		Long: `Run a master, agents, the service framework and the cron framework in one process,
and what they are given as processes of their own, until Ctrl-C; then everything
ends, and nothing is left behind.`,
		Example: `  troupe local --demo
  troupe local --agents=3 --resources="cpus:2;mem:1024"`,
	}
	set := c.Flags()
	set.StringVar(&l.ip, "ip", "127.0.0.1", "address to listen on")
	set.IntVar(&l.port, "port", 5050, "port of the master; 0 is any free one, for agents as well")
	set.IntVar(&l.agentPort, "agent_port", 5051, "port of the first agent that finds it free; others take the next ones")
	set.IntVar(&l.agents, "agents", 2, "how many agents")
	set.StringVar(&l.workDir, "work_dir", "", "folder that keeps everything; by default a temporary one, removed at the end")
	l.machine.add(set)
	flags.Bool(set, &l.switchUser, "switch_user", true, "run executors and tasks as the user they name")
	set.BoolVar(&l.demo, "demo", false, "count the words of some texts, keep a command running, deploy a web server and run jobs by the clock, and show how")
	l.frameworks.add(set)
	l.tls.add(set)
	l.access.add(set)
	l.log.add(set)
	set.Lookup("logging_level").DefValue, l.log.level = quietLevel, quietLevel
	flags.AddConfig(set)
	c.RunE = func(c *cobra.Command, _ []string) error { return l.run(c.Context(), io) }
	return c
}

func (l *localFlags) run(ctx context.Context, io Streams) (err error) {
	if err := atLeast(0, namedInt{"agents", l.agents}, namedInt{"port", l.port}, namedInt{"agent_port", l.agentPort}); err != nil {
		return err
	}
	dir, remove := l.workDir, func() error { return nil }
	if dir == "" {
		if dir, err = os.MkdirTemp("", "troupe-local-"); err != nil {
			return fmt.Errorf("make a folder for the cluster: %w", err)
		}
		remove = func() error { return os.RemoveAll(dir) }
	}
	defer func() { err = errors.Join(err, remove()) }()
	logging, done, err := l.log.logging("local", io.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	o, err := l.options(dir, logging)
	if err != nil {
		return err
	}
	cluster, err := daemon.StartLocal(ctx, o)
	if err != nil {
		return err
	}
	if err := l.greet(ctx, io, cluster, dir); err != nil {
		return errors.Join(err, cluster.Close())
	}
	if !l.demo {
		return cluster.Run(ctx)
	}
	return l.runDemo(ctx, io, cluster)
}

func (l *localFlags) options(dir string, logging daemon.Logging) (daemon.LocalOptions, error) {
	secure, err := l.tls.server()
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	if net.ParseIP(l.ip) == nil {
		return daemon.LocalOptions{}, flagError("ip", l.ip, "is no IP address")
	}
	if l.port == 0 {
		l.agentPort = 0
	}
	network := func(port int) daemon.Network {
		return daemon.Network{Listen: net.JoinHostPort(l.ip, strconv.Itoa(port)), Hostname: l.ip, TLS: secure}
	}
	masterNetwork, agentNetwork := network(l.port), network(l.agentPort)
	key, err := l.access.put(&masterNetwork, &agentNetwork)
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	named := func(name string) daemon.Logging {
		return daemon.Logging{Logger: logging.Logger.Named(name), Level: logging.Level, File: logging.File}
	}
	environment, err := executorEnvironment("")
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	custom, err := l.tls.executorEnvironment()
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	hosts, err := hostCommandOf(localRecovery, localRetry, l.tls, l.log.level)
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	own, err := l.frameworkOptions(network, named)
	if err != nil {
		return daemon.LocalOptions{}, err
	}
	return daemon.LocalOptions{
		WorkDir: dir, Agents: l.agents, Frameworks: own,
		Master: daemon.MasterOptions{
			Network: masterNetwork, Logging: named("master"), Version: MesosVersion, Program: Version, Cluster: "local",
			Config: state.Config{MasterID: uuid.NewString()},
		},
		Agent: daemon.AgentOptions{
			Network: agentNetwork, Logging: named("agent"), Hosts: hosts,
			Resources: l.machine.resources, Attributes: l.machine.attributes, DefaultRole: l.machine.role,
			Strict: true, Program: Version, Isolation: isolation.Default(fetcher.Settings{CacheSize: fetchedAtMost, MaxExtracted: extractedAtMost, MaxDictionary: dictionaryAtMost}),
			Collect: sandbox.Policy{Delay: 7 * 24 * time.Hour, Headroom: 0.1},
			Config: slave.Config{
				Version: MesosVersion, Environment: environment, Custom: slave.CustomExecutors{Environment: custom, TokenKey: key},
				Containers:      slave.Containers{SwitchUser: l.switchUser},
				RecoveryTimeout: time.Duration(localRecovery), Additive: true,
			},
		},
	}, nil
}

// greet waits until all agents are registered and says where everything is.
func (l *localFlags) greet(ctx context.Context, io Streams, cluster *daemon.Local, dir string) (err error) {
	secure, err := l.tls.client()
	if err != nil {
		return err
	}
	c, err := client.New(cluster.Master.Address(), secure)
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	if err := l.access.as.put(c); err != nil {
		return err
	}
	agents, err := awaitAgents(ctx, c, len(cluster.Agents))
	if err != nil || ctx.Err() != nil {
		return err
	}
	style := show.StyleFor(io.Out)
	fmt.Fprintf(io.Out, "%s %s/state\n", style.Bold("master "), cluster.Master.URL())
	for _, a := range cluster.Agents {
		fmt.Fprintf(io.Out, "%s %s  %s\n", style.Bold("agent  "), a.URL(), shortID(agents[a.Address()].ID))
	}
	l.frameworks.greet(io.Out, style, cluster)
	kept := "kept"
	if l.workDir == "" {
		kept = "removed at the end"
	}
	fmt.Fprintf(io.Out, "%s %s (%s)\n", style.Bold("folder "), dir, kept)
	_, err = fmt.Fprintf(io.Out, "%s troupe run%s -- echo hello    (Ctrl-C ends the cluster)\n", style.Green("ready: "), l.masterFlag(cluster))
	return err
}

// masterFlag is what other commands need to find the cluster.
func (l *localFlags) masterFlag(cluster *daemon.Local) string {
	text := ""
	if address := cluster.Master.Address(); address != "127.0.0.1:5050" {
		text = " --master=" + address
	}
	for _, arg := range l.tls.args() {
		text += " " + arg
	}
	return text
}

// awaitAgents returns the registered agents by address, once there are n, or
// nothing when ctx is done.
func awaitAgents(ctx context.Context, c *client.Client, n int) (map[string]client.Agent, error) {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	late := time.After(readyPatience)
	for {
		list, err := c.Agents(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		if len(list) >= n {
			agents := map[string]client.Agent{}
			for _, a := range list {
				agents[a.Address()] = a
			}
			return agents, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-late:
			return nil, fmt.Errorf("%d of %d agents have registered within %s", len(list), n, readyPatience)
		case <-tick.C:
		}
	}
}
