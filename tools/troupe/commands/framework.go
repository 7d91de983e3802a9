package commands

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/messages/carrier/guard"
	"troupe/messages/credentials"
	"troupe/messages/masters"
	"troupe/messages/names"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// frameworkFlags are the settings that the daemons of frameworks share.
type frameworkFlags struct {
	network networkFlags
	log     logFlags

	master, store               string
	name, role, user, principal string
	failover, session           flags.Duration
	credentials                 flags.Path
}

// add adds the flags of a framework's daemon by this name, which listens on port
// by default.
func (f *frameworkFlags) add(set *pflag.FlagSet, name string, port int) {
	f.network.add(set, port)
	set.StringVar(&f.master, "master", "", masterUsage+"; required")
	set.StringVar(&f.store, "store", "", "what keeps the state: a file; or zk://[user:password@]host:port,…/path, where several processes elect the one that leads, and the others pass requests on to it; required")
	duration(set, &f.session, "zk_session_timeout", 10*time.Second, "after which a leader that ZooKeeper hears nothing of leads no more")
	set.StringVar(&f.name, "framework_name", name, "name of the framework, for people")
	set.StringVar(&f.role, "role", "*", "role that resources are offered for")
	set.StringVar(&f.user, "user", "", "user that tasks run as, where they name none and agents switch users; by default the one who runs this")
	set.StringVar(&f.principal, "principal", "", "who the framework is to the master's authorizer")
	duration(set, &f.failover, "failover_timeout", 7*24*time.Hour, "for which the tasks run on while no process of the framework has a link to a leading master")
	set.Var(&f.credentials, "http_credentials", `file of who may ask over HTTP: {"credentials": [{"principal": "ops", "secret": "…"}]}; without it everybody may. /ping and /health are open to all`)
	f.log.add(set)
	flags.AddConfig(set)
}

// openPaths are those that nobody has to prove anything for.
var openPaths = []string{"/ping", "/health"}

// options checks the flags.
func (f *frameworkFlags) options() (daemon.FrameworkOptions, error) {
	for _, required := range []struct{ name, value string }{{"master", f.master}, {"store", f.store}, {"framework_name", f.name}} {
		if required.value == "" {
			return daemon.FrameworkOptions{}, usageError{errRequired(required.name)}
		}
	}
	if _, err := masters.Parse(f.master); err != nil {
		return daemon.FrameworkOptions{}, usageError{fmt.Errorf("--master=%q: %w", masters.Redact(f.master), err)}
	}
	if err := names.CheckRole("role", f.role); err != nil {
		return daemon.FrameworkOptions{}, flagError("role", f.role, err.Error())
	}
	if err := positive(namedDuration{"zk_session_timeout", f.session}); err != nil {
		return daemon.FrameworkOptions{}, err
	}
	if f.failover < 0 {
		return daemon.FrameworkOptions{}, flagError("failover_timeout", f.failover.String(), "is negative")
	}
	network, err := f.network.network()
	if err != nil {
		return daemon.FrameworkOptions{}, err
	}
	if err := f.protect(&network); err != nil {
		return daemon.FrameworkOptions{}, err
	}
	o := daemon.FrameworkOptions{Network: network, State: f.store, Framework: frameworks.Options{
		Master: f.master, Name: f.name, User: f.user, Principal: f.principal, FailoverTimeout: time.Duration(f.failover),
		Roles: []string{f.role}, System: actors.Options{TLS: network.TLS},
	}}
	if strings.HasPrefix(f.store, "zk://") {
		place, err := masters.ParseZooKeeper(f.store)
		if err != nil {
			return o, flagError("store", masters.Redact(f.store), "cannot be read: "+err.Error())
		}
		o.ZooKeeper = daemon.ZooKeeper{Place: &place, SessionTimeout: time.Duration(f.session)}
	}
	return o, nil
}

// protect asks for a proof, if there are credentials.
func (f *frameworkFlags) protect(n *daemon.Network) error {
	if f.credentials == "" {
		return nil
	}
	text, err := readSecret("http_credentials", f.credentials)
	if err != nil {
		return err
	}
	known, err := credentials.Parse(text)
	if err != nil {
		return usageError{fmt.Errorf("--http_credentials=%q: %w", f.credentials, err)}
	}
	n.Secrets = append(n.Secrets, string(f.credentials))
	protect(n, f.name, guard.Basic(known))
	return nil
}

// protect asks everybody for a proof, but on paths that are open.
func protect(n *daemon.Network, name string, proof guard.Proof) {
	realm := guard.Realm("troupe-" + name)
	n.Guard = guard.New(func(_, path string) guard.Realm {
		if slices.Contains(openPaths, path) {
			return guard.Open
		}
		return realm
	}, map[guard.Realm][]guard.Proof{realm: {proof}})
}
