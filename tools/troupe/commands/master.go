package commands

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"troupe/actors/address"
	"troupe/allocator/core"
	"troupe/master/state"
	"troupe/messages/names"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// masterFlags are a master's settings, by the names that Mesos gives them.
type masterFlags struct {
	network networkFlags
	access  masterAccess
	log     logFlags

	workDir, registry, cluster   string
	peers                        peerFlags
	zk                           zookeeperFlags
	registryFetch, registryStore flags.Duration
	pruning                      pruneFlags
	agents                       agentPatience
	admission                    admissionFlags
	removals                     removalFlags
	offers                       offerFlags
	perFramework                 bool
	subscribers                  int
	limits                       state.Limits
	foreign                      foreignSet
}

// pruneFlags say for how long the registry remembers.
type pruneFlags struct {
	every, maxAge flags.Duration
	maxAgents     int
}

// agentPatience is how long a master waits for its agents.
type agentPatience struct {
	ping, reregister flags.Duration
	pings            int
}

// offerFlags shape who is offered what.
type offerFlags struct {
	interval, timeout  flags.Duration
	preempt            flags.Duration
	lend               bool
	minimums, excluded string
	overlap            string
	hideGPUs           bool
	roles, frameworks  string // sorters
	allocator          string
}

func (m *masterFlags) add(set *pflag.FlagSet) {
	m.network.add(set, 5050)
	m.access.add(set)
	set.StringVar(&m.workDir, "work_dir", "", "folder of the registry, and with --zk of the id of its cluster; required unless --registry=in_memory")
	set.StringVar(&m.registry, "registry", "file", "file: kept in --work_dir, or at --zk; in_memory: forgotten at the end; replicated_log: kept by --masters, which mean it by themselves")
	m.peers.add(set)
	m.zk.add(set)
	set.StringVar(&m.cluster, "cluster", "", "the cluster's name, for people")
	duration(set, &m.registryFetch, "registry_fetch_timeout", time.Minute, "for the registry to be read at the start")
	duration(set, &m.registryStore, "registry_store_timeout", 20*time.Second, "for one write of the registry; a master that cannot write ends")
	duration(set, &m.pruning.every, "registry_gc_interval", 15*time.Minute, "between prunings of agents that are unreachable or gone, and of frameworks that are completed")
	duration(set, &m.pruning.maxAge, "registry_max_agent_age", 14*24*time.Hour, "for which an unreachable or gone agent, or a completed framework, is remembered")
	set.IntVar(&m.pruning.maxAgents, "registry_max_agent_count", 102400, "most unreachable, and most gone, agents, and most completed frameworks, remembered")
	m.agents.add(set)
	m.removals.add(set)
	m.offers.add(set)
	m.admission.add(set)
	set.IntVar(&m.limits.CompletedFrameworks, "max_completed_frameworks", 50, "completed frameworks remembered")
	set.IntVar(&m.limits.CompletedTasks, "max_completed_tasks_per_framework", 1000, "ended tasks remembered of each framework")
	set.IntVar(&m.limits.UnreachableTasks, "max_unreachable_tasks_per_framework", 1000, "unreachable tasks remembered of each framework")
	flags.Bool(set, &m.perFramework, "publish_per_framework_metrics", true, "show the figures of every framework at /metrics/snapshot")
	set.IntVar(&m.subscribers, "max_operator_event_stream_subscribers", 1000, "who may read the event stream at once; the oldest gives way")
	m.log.add(set)
	m.foreign.add(set, foreignToMaster())
	flags.AddConfig(set)
}

func (a *agentPatience) add(set *pflag.FlagSet) {
	duration(set, &a.ping, "agent_ping_timeout", 15*time.Second, "between pings of an agent, each of which it must answer in that time; 1secs to 15mins")
	set.IntVar(&a.pings, "max_agent_ping_timeouts", 5, "unanswered pings in a row after which an agent is unreachable")
	duration(set, &a.reregister, "agent_reregister_timeout", 10*time.Minute, "after which an agent whose link broke is unreachable")
}

func (o *offerFlags) add(set *pflag.FlagSet) {
	duration(set, &o.preempt, "preempt_after", 0, "how long a role must lack what its quota guarantees, and find nothing free, before tasks of roles that have more than their guarantee are killed for it; 0: never")
	flags.Bool(set, &o.lend, "lend_reservations", false, "offer what is reserved for a role, and what nobody in it wants now, as revocable to frameworks with REVOCABLE_RESOURCES, whose tasks are killed when somebody in the role wants it back")
	duration(set, &o.interval, "allocation_interval", time.Second, "longest pause between two looks at what can be offered")
	duration(set, &o.timeout, "offer_timeout", 0, "after which unanswered offers are rescinded; 0 is never")
	set.StringVar(&o.overlap, "offer_overlap", "1", "to how many frameworks at once the same free resources are offered: a number, or all; the first that accepts has them, and the other offers are rescinded")
	set.StringVar(&o.minimums, "min_allocatable_resources", "cpus:0.01|mem:32", "offer no less: alternatives with | between, amounts with ; between")
	set.StringVar(&o.excluded, "fair_sharing_excluded_resource_names", "", "resources that count for nobody's share, with commas between")
	set.StringVar(&o.roles, "role_sorter", "drf", "which role is offered resources first: drf, the one with the lowest weighted share; random, by lot in proportion to weights; priority, the one with the greatest weight")
	set.StringVar(&o.frameworks, "framework_sorter", "drf", "which framework of a role is: drf, the one with the lowest share; random, by lot")
	set.StringVar(&o.allocator, "allocator", builtInAllocator, "who decides who is offered what: the allocator in this process, or an actor elsewhere, as name@host:port; the other flags of allocation are the built-in one's")
	flags.Bool(set, &o.hideGPUs, "filter_gpu_resources", true, "offer machines with GPUs only to frameworks that declare GPU_RESOURCES")
}

// duration adds a flag for a span of time.
func duration(set *pflag.FlagSet, target *flags.Duration, name string, value time.Duration, usage string) {
	*target = flags.Duration(value)
	set.Var(target, name, usage)
}

func masterCommand(io Streams) *cobra.Command {
	m := new(masterFlags)
	c := &cobra.Command{
		Use: "master", GroupID: groupCluster, Args: exactly(),
		Short: "Run a master",
		Long:  "Run a master, which matches what agents offer with what frameworks want, until SIGINT or SIGTERM.",
	}
	m.add(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return m.run(c.Context(), io, values(c.Flags())) }
	return c
}

func (m *masterFlags) run(ctx context.Context, io Streams, given map[string]string) error {
	o, err := m.options()
	if err != nil {
		return err
	}
	o.Flags = given
	return m.log.serve(ctx, io, "master", func(l daemon.Logging) (*daemon.Daemon, error) {
		o.Logging = l
		m.foreign.warn(l.Logger)
		return daemon.StartMaster(ctx, o)
	})
}

// options checks the flags and turns them into a value.
func (m *masterFlags) options() (daemon.MasterOptions, error) {
	network, err := m.network.network()
	if err != nil {
		return daemon.MasterOptions{}, err
	}
	if err := m.access.put(&network); err != nil {
		return daemon.MasterOptions{}, err
	}
	if err := m.check(); err != nil {
		return daemon.MasterOptions{}, err
	}
	peers, err := m.peers.masters(m.zk.url != "")
	if err != nil {
		return daemon.MasterOptions{}, err
	}
	zk, err := m.zk.place()
	if err != nil {
		return daemon.MasterOptions{}, err
	}
	allocation, err := m.offers.options()
	if err != nil {
		return daemon.MasterOptions{}, err
	}
	elsewhere, err := m.offers.elsewhere()
	if err != nil {
		return daemon.MasterOptions{}, err
	}
	o := daemon.MasterOptions{
		Elsewhere: elsewhere,
		Network:   network, Masters: peers, ZooKeeper: zk, Cluster: m.cluster, Allocator: allocation, Version: MesosVersion, Program: Version,
		PingTimeout: time.Duration(m.agents.ping), MaxPingTimeouts: m.agents.pings,
		HideFrameworkMetrics: !m.perFramework, MaxSubscribers: m.subscribers,
		RegistryFetchTimeout: time.Duration(m.registryFetch), RegistryStoreTimeout: time.Duration(m.registryStore),
		Config: state.Config{
			MasterID: uuid.NewString(), AgentReregisterTimeout: time.Duration(m.agents.reregister),
			OfferTimeout: time.Duration(m.offers.timeout), OfferOverlap: allocation.Overlap, RegistryPruneInterval: time.Duration(m.pruning.every),
			RegistryMaxAgentAge: time.Duration(m.pruning.maxAge), RegistryMaxAgentCount: m.pruning.maxAgents,
			Limits: m.limits,
		},
	}
	if m.registry != "in_memory" {
		o.WorkDir = m.workDir
	}
	if err := m.admission.put(&o); err != nil {
		return o, err
	}
	return o, m.removals.put(&o.Config)
}

func (m *masterFlags) check() error {
	if err := m.checkRegistry(); err != nil {
		return err
	}
	if ping := time.Duration(m.agents.ping); ping < time.Second || ping > 15*time.Minute {
		return flagError("agent_ping_timeout", m.agents.ping.String(), "is not between 1secs and 15mins")
	}
	if err := atLeast(1, namedInt{"max_agent_ping_timeouts", m.agents.pings}, namedInt{"registry_max_agent_count", m.pruning.maxAgents},
		namedInt{"max_operator_event_stream_subscribers", m.subscribers}, namedInt{"max_completed_frameworks", m.limits.CompletedFrameworks},
		namedInt{"max_completed_tasks_per_framework", m.limits.CompletedTasks},
		namedInt{"max_unreachable_tasks_per_framework", m.limits.UnreachableTasks}); err != nil {
		return err
	}
	return positive(
		namedDuration{"registry_fetch_timeout", m.registryFetch}, namedDuration{"registry_store_timeout", m.registryStore},
		namedDuration{"registry_gc_interval", m.pruning.every}, namedDuration{"registry_max_agent_age", m.pruning.maxAge},
		namedDuration{"agent_reregister_timeout", m.agents.reregister}, namedDuration{"allocation_interval", m.offers.interval})
}

func (m *masterFlags) checkRegistry() error {
	switch m.registry {
	case "file":
	case "replicated_log":
		if m.peers.masterList == "" {
			return flagError("registry", m.registry, "needs --masters, which keep it; at --zk it is kept by ZooKeeper: leave it out")
		}
	case "in_memory":
		if m.peers.masterList != "" {
			return flagError("registry", m.registry, "cannot be shared by --masters: leave it out")
		}
		if m.zk.url != "" {
			return flagError("registry", m.registry, "is not kept at --zk: leave it out")
		}
		return nil
	default:
		return flagError("registry", m.registry, "is none of file, in_memory, replicated_log")
	}
	if m.workDir == "" {
		return usageError{errRequired("work_dir")}
	}
	return nil
}

func (o *offerFlags) options() (core.Options, error) {
	if o.timeout < 0 {
		return core.Options{}, flagError("offer_timeout", o.timeout.String(), "is negative")
	}
	if o.preempt < 0 {
		return core.Options{}, flagError("preempt_after", o.preempt.String(), "is negative")
	}
	minimums, err := core.ParseMinimums(o.minimums)
	if err != nil {
		return core.Options{}, flagError("min_allocatable_resources", o.minimums, err.Error())
	}
	overlap, err := core.ParseOverlap(o.overlap)
	if err != nil {
		return core.Options{}, flagError("offer_overlap", o.overlap, "is neither a positive number nor all")
	}
	roles, err := core.ParseSorter(o.roles)
	if err != nil {
		return core.Options{}, flagError("role_sorter", o.roles, "is none of drf, random, priority")
	}
	frameworks, err := core.ParseSorter(o.frameworks)
	if err != nil || frameworks == core.ByPriority {
		return core.Options{}, flagError("framework_sorter", o.frameworks, "is none of drf, random")
	}
	return core.Options{
		Interval: time.Duration(o.interval), Minimums: minimums, NotShared: list(o.excluded), GPUsForAll: !o.hideGPUs,
		PreemptAfter: time.Duration(o.preempt), Overlap: overlap, LendReservations: o.lend,
		Roles: roles, Frameworks: frameworks,
	}, nil
}

// builtInAllocator is what Mesos calls the allocator in the master's process.
const builtInAllocator = "HierarchicalDRF"

// elsewhere is the allocator in another process; the zero address when there is
// none.
func (o *offerFlags) elsewhere() (address.PID, error) {
	if o.allocator == builtInAllocator {
		return address.PID{}, nil
	}
	pid, err := address.Parse(o.allocator)
	switch {
	case err != nil:
		return pid, flagError("allocator", o.allocator, "is neither "+builtInAllocator+" nor name@host:port: "+err.Error())
	case pid.Incarnation != "":
		return pid, flagError("allocator", o.allocator, "names one start of a process: leave out #"+pid.Incarnation)
	}
	return pid, nil
}

// list splits at commas; nothing is no entry.
func list(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

func roleList(text string) ([]string, error) {
	roles := list(text)
	for _, role := range roles {
		if err := names.CheckRole("roles", role); err != nil {
			return nil, flagError("roles", text, err.Error())
		}
	}
	return roles, nil
}
