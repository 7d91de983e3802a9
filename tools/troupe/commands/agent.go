package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"troupe/messages/masters"
	"troupe/messages/names"
	"troupe/slave/container/sandbox"
	"troupe/slave/state"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// agentFlags are an agent's settings, by the names that Mesos gives them.
type agentFlags struct {
	network networkFlags
	access  agentAccess
	log     logFlags

	master, workDir string
	domain          string
	offer           machineFlags
	executors       executorFlags
	restart         restartFlags
	backoff         flags.Duration
	collect         collectFlags
	fetching        fetchFlags
	output          outputFlags
	lending         lendingFlags
	isolation       isolationFlags
	foreign         foreignSet
	remembered      int // completed executors
}

// machineFlags say what an agent has to give.
type machineFlags struct {
	resources, attributes, role string
}

func (m *machineFlags) add(set *pflag.FlagSet) {
	set.StringVar(&m.resources, "resources", "", `what is offered, as "cpus:4;mem(role):1024;ports:[31000-32000]", or as an array of Resource in JSON, which can say disks, too; of cpus, mem, disk and ports, what it does not name is detected`)
	set.StringVar(&m.attributes, "attributes", "", `what frameworks may want to know, as "rack:r1;os:linux"`)
	set.StringVar(&m.role, "default_role", "*", "role of resources that name none")
}

// executorFlags shape the life of executors.
type executorFlags struct {
	register, reregister, retry, grace, recovery, heartbeat, streams flags.Duration
	environment                                                      string
	switchUser                                                       bool
	perHost                                                          int
}

func (e *executorFlags) add(set *pflag.FlagSet) {
	duration(set, &e.register, "executor_registration_timeout", time.Minute, "for an executor to subscribe after its launch")
	duration(set, &e.reregister, "executor_reregistration_timeout", 15*time.Second, "for a host of executors to return after the agent's start, else it is killed and its tasks are lost; at most 15secs")
	duration(set, &e.retry, "executor_reregistration_retry_interval", 500*time.Millisecond, "longest wait of executors between attempts to reach an agent that is gone")
	duration(set, &e.grace, "executor_shutdown_grace_period", 5*time.Second, "for an executor to end when it is told to")
	duration(set, &e.heartbeat, "executor_heartbeat_interval", 30*time.Minute, "between the HEARTBEAT events that executors get over HTTP")
	duration(set, &e.streams, "http_heartbeat_interval", 30*time.Second, "between the heartbeats on streams of containers' output")
	duration(set, &e.recovery, "recovery_timeout", 15*time.Minute, "for which executors wait for an agent that is gone")
	set.StringVar(&e.environment, "executor_environment_variables", "", `the environment of every executor, as {"NAME": "value"}; only PATH by default`)
	flags.Bool(set, &e.switchUser, "switch_user", true, "run executors and tasks as the user they name")
	set.IntVar(&e.perHost, "containers_per_host", 64, "executors that share a host process; its end is theirs")
}

// restartFlags say what an agent makes of what the one before it left.
type restartFlags struct {
	recover, policy string
	strict          bool
}

const (
	recoverReconnect = "reconnect"
	recoverCleanup   = "cleanup"
	policyEqual      = "equal"
	policyAdditive   = "additive"
)

func (r *restartFlags) add(set *pflag.FlagSet) {
	set.StringVar(&r.recover, "recover", recoverReconnect, "with the tasks of the agent before: reconnect goes on with them; cleanup ends them and then the agent, and the next start is a new agent")
	flags.Bool(set, &r.strict, "strict", true, "refuse to start with a damaged journal; otherwise leave out what cannot be read")
	set.StringVar(&r.policy, "reconfiguration_policy", policyAdditive, "what may differ from the last start: additive is more resources and attributes, equal is nothing")
}

func (r *restartFlags) check() error {
	if r.recover != recoverReconnect && r.recover != recoverCleanup {
		return flagError("recover", r.recover, "is neither reconnect nor cleanup")
	}
	if r.policy != policyEqual && r.policy != policyAdditive {
		return flagError("reconfiguration_policy", r.policy, "is neither equal nor additive")
	}
	return nil
}

// collectFlags say when sandboxes are removed.
type collectFlags struct {
	delay, interval flags.Duration
	headroom        float64
	inner           bool
}

func (f *collectFlags) add(set *pflag.FlagSet) {
	duration(set, &f.delay, "gc_delay", 7*24*time.Hour, "for which a sandbox is kept on an empty disk")
	set.Float64Var(&f.headroom, "gc_disk_headroom", 0.1, "share of the disk to keep free; sandboxes are kept shorter as it fills")
	set.BoolVar(&f.inner, "gc_non_executor_container_sandboxes", false, "collect sandboxes of tasks of groups, and of containers that clients of the API have launched, when these have ended; by default with their executor's, or when they are removed")
	duration(set, &f.interval, "disk_watch_interval", time.Minute, "between looks at the disk")
}

func (a *agentFlags) add(set *pflag.FlagSet) {
	a.network.add(set, 5051)
	a.access.add(set)
	set.StringVar(&a.master, "master", "", masterUsage+"; required")
	set.StringVar(&a.workDir, "work_dir", "", "folder of sandboxes and of what a restart needs; required")
	a.offer.add(set)
	set.StringVar(&a.domain, "domain", "", "where the agent stands, as "+domainForm+"; the master must have one, too")
	a.executors.add(set)
	a.restart.add(set)
	duration(set, &a.backoff, "registration_backoff_factor", time.Second, "first wait between attempts to register; doubles, to 1mins")
	a.collect.add(set)
	a.fetching.add(set)
	a.output.add(set)
	a.lending.add(set)
	a.isolation.add(set)
	set.IntVar(&a.remembered, "max_completed_executors_per_framework", 150, "ended executors remembered of each framework")
	a.log.add(set)
	a.foreign.add(set, foreignToAgent())
	flags.AddConfig(set)
}

func agentCommand(io Streams) *cobra.Command {
	a := new(agentFlags)
	c := &cobra.Command{
		Use: "agent", GroupID: groupCluster, Args: exactly(),
		Short: "Run an agent",
		Long: `Run an agent, which offers what this machine has and runs tasks on it, until SIGINT
or SIGTERM. Its tasks go on, and the next agent with the same --work_dir knows
them. SIGUSR1 ends the tasks and then the agent, for good.`,
	}
	a.add(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return a.run(c.Context(), io, values(c.Flags())) }
	return c
}

func (a *agentFlags) run(ctx context.Context, io Streams, given map[string]string) error {
	o, err := a.options()
	if err != nil {
		return err
	}
	o.Flags = given
	retire, undo := signal.NotifyContext(ctx, syscall.SIGUSR1)
	defer undo()
	defer survive(syscall.SIGXFSZ)()
	err = a.log.serve(ctx, io, "agent", func(l daemon.Logging) (*daemon.Daemon, error) {
		o.Logging = l
		a.foreign.warn(l.Logger)
		agent, err := daemon.StartAgent(o)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(retire, func() {
			if ctx.Err() == nil {
				agent.Retire()
			}
		})
		return agent.Daemon, nil
	})
	if errors.Is(err, daemon.ErrOrdered) && (retire.Err() != nil || o.Config.Cleanup) {
		return nil // as SIGUSR1 or --recover asked
	}
	return err
}

// survive makes an error of what would end the process: here, of a write that a
// limit on the size of files forbids. Ignoring the signal would do the same to
// every process that is started from here.
func survive(s os.Signal) (undo func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, s)
	return func() { signal.Stop(ignored) }
}

// options checks the flags and turns them into a value.
func (a *agentFlags) options() (daemon.AgentOptions, error) {
	for _, required := range []struct{ name, value string }{{"master", a.master}, {"work_dir", a.workDir}} {
		if required.value == "" {
			return daemon.AgentOptions{}, usageError{errRequired(required.name)}
		}
	}
	if _, err := masters.Parse(a.master); err != nil {
		return daemon.AgentOptions{}, usageError{fmt.Errorf("--master=%q: %w", masters.Redact(a.master), err)}
	}
	network, err := a.network.network()
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	key, err := a.access.put(&network)
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	if err := a.check(); err != nil {
		return daemon.AgentOptions{}, err
	}
	lending, err := a.lending.lending()
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	environment, err := executorEnvironment(a.executors.environment)
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	secure, err := a.network.tls.executorEnvironment()
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	domain, err := domainOf(a.domain)
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	hosts, err := hostCommandOf(a.executors.recovery, a.executors.retry, a.network.tls, a.log.level)
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	made, err := a.isolationOf()
	if err != nil {
		return daemon.AgentOptions{}, err
	}
	return daemon.AgentOptions{
		Isolation: made, Network: network, Master: a.master, WorkDir: a.workDir, Hosts: hosts,
		Resources: a.offer.resources, Attributes: a.offer.attributes, DefaultRole: a.offer.role, Domain: domain,
		Collect:           sandbox.Policy{Delay: time.Duration(a.collect.delay), Headroom: a.collect.headroom},
		DiskWatchInterval: time.Duration(a.collect.interval), Strict: a.restart.strict, Lending: lending,
		ExecutorHeartbeat: time.Duration(a.executors.heartbeat),
		Program:           Version, CompletedExecutors: a.remembered,
		StreamHeartbeat: time.Duration(a.executors.streams),
		Config: state.Config{
			Version: MesosVersion, Environment: environment, Custom: state.CustomExecutors{Environment: secure, TokenKey: key},
			Containers:        state.Containers{SwitchUser: a.executors.switchUser, CollectInner: a.collect.inner},
			ContainersPerHost: a.executors.perHost, RegistrationBackoff: time.Duration(a.backoff),
			ExecutorRegistration:   time.Duration(a.executors.register),
			ExecutorReregistration: time.Duration(a.executors.reregister),
			ExecutorRetry:          time.Duration(a.executors.retry),
			Additive:               a.restart.policy == policyAdditive, Cleanup: a.restart.recover == recoverCleanup,
			ShutdownGrace: time.Duration(a.executors.grace), RecoveryTimeout: time.Duration(a.executors.recovery),
		},
	}, nil
}

func (a *agentFlags) check() error {
	if err := names.CheckRole("default_role", a.offer.role); err != nil {
		return flagError("default_role", a.offer.role, err.Error())
	}
	if h := a.collect.headroom; !(h >= 0 && h <= 1) {
		return flagError("gc_disk_headroom", strconv.FormatFloat(h, 'g', -1, 64), "is not between 0 and 1")
	}
	if r := time.Duration(a.executors.reregister); r > 15*time.Second {
		return flagError("executor_reregistration_timeout", a.executors.reregister.String(), "is above 15secs")
	}
	if err := a.restart.check(); err != nil {
		return err
	}
	if err := atLeast(1, namedInt{"containers_per_host", a.executors.perHost}, namedInt{"max_completed_executors_per_framework", a.remembered}); err != nil {
		return err
	}
	return positive(
		namedDuration{"executor_registration_timeout", a.executors.register},
		namedDuration{"executor_reregistration_timeout", a.executors.reregister},
		namedDuration{"executor_reregistration_retry_interval", a.executors.retry},
		namedDuration{"executor_shutdown_grace_period", a.executors.grace},
		namedDuration{"executor_heartbeat_interval", a.executors.heartbeat}, namedDuration{"http_heartbeat_interval", a.executors.streams},
		namedDuration{"recovery_timeout", a.executors.recovery},
		namedDuration{"registration_backoff_factor", a.backoff},
		namedDuration{"gc_delay", a.collect.delay}, namedDuration{"disk_watch_interval", a.collect.interval})
}

// hostCommandOf is how this program is started as an executor host.
func hostCommandOf(recovery, retry flags.Duration, secure tlsFlags, level string) (daemon.HostCommand, error) {
	path, err := os.Executable()
	if err != nil {
		return daemon.HostCommand{}, fmt.Errorf("find this program: %w", err)
	}
	return daemon.HostCommand{Path: path, Args: append([]string{
		"executor-host", "--recovery_timeout=" + recovery.String(), "--executor_reregistration_retry_interval=" + retry.String(),
		"--logging_level=" + level,
	}, secure.args()...)}, nil
}

// executorEnvironment reads the value of --executor_environment_variables. An
// error does not repeat the value, which may hold secrets.
func executorEnvironment(text string) ([]string, error) {
	if text == "" {
		return []string{"PATH=" + os.Getenv("PATH")}, nil
	}
	var given map[string]string
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, usageError{fmt.Errorf("--executor_environment_variables is no object of strings: %w", err)}
	}
	var list []string
	for name, value := range given {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return nil, usageError{fmt.Errorf("--executor_environment_variables: %q is no variable: its name is empty or has '=', or there is a NUL in it", name)}
		}
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list, nil
}
