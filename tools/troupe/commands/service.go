package commands

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"troupe/frameworks/service/api"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/frameworks/service/state"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// servicePort is where Marathon's clients look.
const servicePort = 8080

// serviceFlags are the settings of the service framework, by the names that
// Marathon gives them.
type serviceFlags struct {
	frameworkFlags
	apps      appFlags
	discovery discoveryFlags
}

// appFlags are those about apps and their instances.
type appFlags struct {
	firstPort, lastPort, versions, deployments, perOffer, checks int
	launch, declined, draining                                   flags.Duration
	network, bridge, envPrefix, features, gpus, origins          string
}

// Where GPUs are, in Marathon's words: apps that want none stay away, or not.
const (
	gpusRestricted   = "restricted"
	gpusUnrestricted = "unrestricted"
)

// features that Marathon calls so, of those that are here.
const (
	featureGPUs     = "gpu_resources"
	featureSecrets  = "secrets"
	featureExternal = "external_volumes"
)

// alwaysOn are features of Marathon that need no flag here.
var alwaysOn = []string{"task_killing", "vips", "maintenance_mode"}

func (a *appFlags) add(set *pflag.FlagSet) {
	set.IntVar(&a.firstPort, "local_port_min", 10000, "first of the service ports that apps get which leave it open")
	set.IntVar(&a.lastPort, "local_port_max", 20000, "last of them")
	duration(set, &a.launch, "task_launch_timeout", 5*time.Minute, "for a task to run after its launch, or else it is killed and another one launched")
	duration(set, &a.declined, "decline_offer_duration", 2*time.Minute, "for which an offer that fits nothing is not made again")
	set.IntVar(&a.perOffer, "max_instances_per_offer", 5, "instances that are launched on one offer at most")
	set.IntVar(&a.deployments, "max_running_deployments", 100, "deployments at a time; more are refused")
	set.IntVar(&a.versions, "max_versions", 50, "versions that are kept of each app and of the groups")
	set.IntVar(&a.checks, "max_concurrent_health_checks", 1000, "health checks of the framework's own that are under way at once")
	duration(set, &a.draining, "draining_seconds", 0, "for how long before a maintenance nothing is launched on its agents")
	set.StringVar(&a.network, "default_network_name", "", "container network of apps that name none")
	set.StringVar(&a.bridge, "mesos_bridge_name", placement.DefaultBridge, "network that containers of type MESOS attach to for a bridge")
	set.StringVar(&a.envPrefix, "env_vars_prefix", "", "what comes before the names of the environment variables about ports")
	set.StringVar(&a.origins, "access_control_allow_origin", "", "other sites whose pages may use the API, as in https://ops.example.com, with commas between; * is all")
	set.StringVar(&a.gpus, "gpu_scheduling_behavior", gpusRestricted, "apps that want no GPUs stay away from machines that have some ("+gpusRestricted+"), or not ("+gpusUnrestricted+")")
	set.StringVar(&a.features, "enable_features", "", "what apps may use beside the rest, with commas between: "+featureGPUs+", "+featureSecrets+", "+featureExternal)
}

// options checks the flags.
func (a *appFlags) options(role, principal string) (state.Options, error) {
	if err := atLeast(1, namedInt{"local_port_min", a.firstPort}, namedInt{"max_instances_per_offer", a.perOffer},
		namedInt{"max_running_deployments", a.deployments}, namedInt{"max_versions", a.versions}, namedInt{"max_concurrent_health_checks", a.checks}); err != nil {
		return state.Options{}, err
	}
	if a.lastPort < a.firstPort || a.lastPort > 65535 {
		return state.Options{}, flagError("local_port_max", strconv.Itoa(a.lastPort), fmt.Sprintf("is not between --local_port_min=%d and 65535", a.firstPort))
	}
	if err := positive(namedDuration{"task_launch_timeout", a.launch}, namedDuration{"decline_offer_duration", a.declined}); err != nil {
		return state.Options{}, err
	}
	if a.draining < 0 {
		return state.Options{}, flagError("draining_seconds", a.draining.String(), "is negative")
	}
	if a.gpus != gpusRestricted && a.gpus != gpusUnrestricted {
		return state.Options{}, flagError("gpu_scheduling_behavior", a.gpus, "is neither "+gpusRestricted+" nor "+gpusUnrestricted)
	}
	rules := app.Rules{Role: role}
	for _, f := range list(a.features) {
		switch {
		case f == featureGPUs:
			rules.GPUs = true
		case f == featureSecrets:
			rules.Secrets = true
		case f == featureExternal:
			rules.External = true
		case !slices.Contains(alwaysOn, f):
			return state.Options{}, flagError("enable_features", a.features, fmt.Sprintf("has %q, which is none of %q", f, []string{featureGPUs, featureSecrets, featureExternal}))
		}
	}
	return state.Options{
		Rules: rules, FirstPort: a.firstPort, LastPort: a.lastPort, Versions: a.versions, LaunchTimeout: time.Duration(a.launch),
		Declined: time.Duration(a.declined), PerOffer: a.perOffer, Deployments: a.deployments,
		Placement: placement.Settings{
			Role: role, Principal: principal, EnvPrefix: a.envPrefix, BridgeNetwork: a.bridge, Draining: time.Duration(a.draining),
			KeepGPUs: a.gpus == gpusRestricted,
		},
	}, nil
}

func serviceCommand(io Streams) *cobra.Command {
	s := new(serviceFlags)
	c := &cobra.Command{
		Use: "service", GroupID: groupCluster, Args: exactly(),
		Short: "Run the service framework",
		Long: `Run the service framework, which keeps apps running and speaks Marathon's REST API,
until SIGINT or SIGTERM. The apps run on, and the next process with the same
--store knows them. Several processes with one --store=zk://… elect the one that
leads; the others pass requests on to it, and follow when it ends.`,
		Example: `  troupe service --master=127.0.0.1:5050 --store=/var/lib/troupe/service
  troupe service --master=zk://zk1:2181,zk2:2181/troupe --store=zk://zk1:2181,zk2:2181/service --ip=0.0.0.0
  curl -H 'Content-Type: application/json' -d '{"id": "/web", "cmd": "python3 -m http.server $PORT0", "cpus": 0.1, "instances": 2}' http://127.0.0.1:8080/v2/apps`,
	}
	s.add(c.Flags(), "service", servicePort)
	s.apps.add(c.Flags())
	s.discovery.add(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return s.run(c.Context(), io) }
	c.AddCommand(serviceFileCommands(io)...)
	return c
}

func (s *serviceFlags) run(ctx context.Context, io Streams) error {
	shared, err := s.options()
	if err != nil {
		return err
	}
	apps, err := s.apps.options(s.role, s.principal)
	if err != nil {
		return err
	}
	origins, err := api.ParseOrigins(list(s.apps.origins))
	if err != nil {
		return flagError("access_control_allow_origin", s.apps.origins, "has an "+err.Error())
	}
	o := daemon.ServiceOptions{
		FrameworkOptions: shared, State: apps, DefaultNetwork: s.apps.network, Checks: s.apps.checks, Version: Version,
		Origins: origins,
	}
	if err := s.discovery.put(&o, s.network.ip); err != nil {
		return err
	}
	return s.log.serve(ctx, io, "service", func(l daemon.Logging) (*daemon.Daemon, error) {
		o.Logging = l
		return daemon.StartService(ctx, o)
	})
}
