package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
)

// foreign is a flag of Mesos that is about something that is not here. An
// operator who brings the settings of a Mesos cluster is told so: by a warning,
// where nothing is lost by it, and else by a refusal, since the setting promises
// what nobody would keep.
type foreign struct {
	name, why string
	refused   bool
	// taken are the values of a refused flag that promise nothing.
	taken []string
	given bool
}

// Set implements pflag.Value.
func (f *foreign) Set(value string) error {
	if f.refused && value != "false" {
		for part := range strings.SplitSeq(value, ",") {
			if !slices.Contains(f.taken, strings.TrimSpace(part)) {
				return errors.New(f.why)
			}
		}
	}
	f.given = true
	return nil
}

// String implements pflag.Value.
func (f *foreign) String() string { return "" }

// Type implements pflag.Value; it is none whose value is read from a file.
func (f *foreign) Type() string { return "foreign" }

// ignored and refused make the flags of a list of names.
func ignored(why, names string) []foreign { return foreignFlags(why, names, false) }
func refused(why, names string) []foreign { return foreignFlags(why, names, true) }

func foreignFlags(why, names string, refused bool) []foreign {
	var all []foreign
	for name := range strings.FieldsSeq(names) {
		name, taken, _ := strings.Cut(name, "=")
		f := foreign{name: name, why: why, refused: refused}
		if taken != "" {
			f.taken = strings.Split(taken, ",")
		}
		all = append(all, f)
	}
	return all
}

// foreignToAll are those of masters and agents.
func foreignToAll() []foreign {
	return slices.Concat(
		ignored("logs are written at once, to stderr and --log_dir", "quiet logbufsecs initialize_driver_logging"),
		refused("there are no modules: what is chosen here is chosen by flags", "modules modules_dir hooks"),
		refused("there are no ACLs yet: whoever may enter a realm may do everything there, see docs/security.md", "acls"),
		refused("logs are in --log_dir", "external_log_file"),
		refused("name the address by --ip", "ip_discovery_command"),
	)
}

// foreignToMaster are those of a master alone.
func foreignToMaster() []foreign {
	return slices.Concat(foreignToAll(),
		ignored("there is nothing to be initialized by hand", "log_auto_initialize"),
		ignored("there are no pages for people on the master's port yet", "webui_dir"),
		ignored("agents, and schedulers that are actors, prove who they are by certificates", "authenticators authentication_v0_timeout"),
		ignored("what is asked of HTTP clients is said by --authenticate_http_…", "authorizers"),
		ignored("a regular expression of offer constraints may have 100 instructions, as in Mesos by default, and matches in linear time",
			"offer_constraints_re2_max_mem offer_constraints_re2_max_program_size"),
		refused("agents, and schedulers that are actors, prove who they are by certificates: --tls_cert, --tls_key, --tls_ca",
			"authenticate authenticate_agents authenticate_slaves authenticate_frameworks"),
		refused("masters are elected by --zk or --masters", "master_contender master_detector"),
		refused("executors are not limited in number", "max_executors_per_agent"),
	)
}

// foreignToAgent are those of an agent alone.
func foreignToAgent() []foreign {
	return slices.Concat(foreignToAll(),
		ignored("the program is its own launcher, and keeps nothing outside --work_dir", "launcher_dir runtime_dir sandbox_directory http_command_executor"),
		ignored("an agent proves who it is by its certificate", "credential authenticatee authentication_backoff_factor authentication_timeout_min authentication_timeout_max"),
		ignored("what is asked of HTTP clients is said by --authenticate_http_…", "authorizer"),
		ignored("nothing runs in Docker here", "docker docker_registry docker_socket docker_config docker_store_dir docker_remove_delay docker_kill_orphans docker_stop_timeout docker_mesos_image docker_volume_checkpoint_dir"),
		ignored("there are no images here: tasks that need one fail and say so",
			"appc_store_dir appc_simple_discovery_uri_prefix image_provisioner_backend image_gc_config"),
		ignored("URIs of hdfs and s3 are refused, and say so", "hadoop_home"),
		ignored("containers share the network of the machine",
			"container_ports_watch_interval check_agent_port_range_only "+
				"network_cni_plugins_dir network_cni_config_dir network_cni_root_dir_persist network_cni_metrics"),
		refused("there is no such containerizer here: tasks are processes", "containerizers=mesos"),
		refused("containers share the network of the machine", "enforce_container_ports"),
		refused("volumes have the owner of their sandbox", "volume_gid_range"),
		refused("there are no images here", "image_providers default_container_dns default_container_info"),
		refused("there are no resource providers here", "resource_provider_config_dir csi_plugin_config_dir disk_profile_adaptor"),
		refused("executors reach the agent by its port", "http_executor_domain_sockets domain_socket_location"),
	)
}

// foreignSet are the flags of a command that are foreign to it.
type foreignSet []foreign

// add makes the flags known, without showing them.
func (f *foreignSet) add(set *pflag.FlagSet, list []foreign) {
	*f = list
	for i := range list {
		flag := set.VarPF(&list[i], list[i].name, "", "")
		flag.Hidden, flag.NoOptDefVal = true, "true"
		off := set.VarPF(&foreign{}, "no_"+list[i].name, "", "")
		off.Hidden, off.NoOptDefVal = true, "true"
	}
}

// warn tells of what was given in vain.
func (f foreignSet) warn(log *zap.Logger) {
	for _, flag := range f {
		if flag.given {
			log.Warn(fmt.Sprintf("--%s has no effect: %s", flag.name, flag.why))
		}
	}
}
