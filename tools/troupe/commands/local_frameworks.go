package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

// localFrameworks are the frameworks that a local cluster runs itself.
type localFrameworks struct {
	service     bool
	servicePort int
	apps        appFlags // as they are by default
}

func (f *localFrameworks) add(set *pflag.FlagSet) {
	flags.Bool(set, &f.service, "service", true, "run the service framework, too")
	set.IntVar(&f.servicePort, "service_port", servicePort, "port of the service framework, or the next one that is free; any free one where --port=0")
	f.apps.add(pflag.NewFlagSet("", pflag.ContinueOnError))
}

// portOf is the port that a framework listens on.
func (l *localFlags) portOf(given int) int {
	if l.port == 0 {
		return 0
	}
	return given
}

// frameworkOptions are the frameworks that are asked for.
func (l *localFlags) frameworkOptions(network func(port int) daemon.Network, named func(string) daemon.Logging) ([]daemon.LocalFramework, error) {
	if !l.frameworks.service {
		return nil, nil
	}
	apps, err := l.frameworks.apps.options("*", "")
	if err != nil {
		return nil, err
	}
	n := network(l.portOf(l.frameworks.servicePort))
	if err := l.access.protect(&n, "service"); err != nil {
		return nil, err
	}
	return []daemon.LocalFramework{{
		Name: "service", Listen: n.Listen,
		Start: func(ctx context.Context, listen, master, file string) (*daemon.Daemon, error) {
			return daemon.StartService(ctx, daemon.ServiceOptions{
				FrameworkOptions: localFramework("service", n, named("service"), listen, master, file), State: apps, Version: Version,
			})
		},
	}}, nil
}

// localFramework are the options that the frameworks of a local cluster share.
func localFramework(name string, n daemon.Network, l daemon.Logging, listen, master, file string) daemon.FrameworkOptions {
	n.Listen = listen
	return daemon.FrameworkOptions{
		Network: n, Logging: l, State: file,
		// The tasks end with the cluster: nobody comes back for them.
		Framework: frameworks.Options{Master: master, Name: name, Roles: []string{"*"}, System: actors.Options{TLS: n.TLS}},
	}
}

// greet says where the frameworks are.
func (f *localFrameworks) greet(out io.Writer, style show.Style, cluster *daemon.Local) {
	for _, d := range cluster.Frameworks {
		fmt.Fprintf(out, "%s %s/ui/\n", style.Bold(fmt.Sprintf("%-7s", d.Name)), d.URL())
	}
}

// protect asks who comes to a framework for a proof, where the master asks.
func (l *localAccess) protect(n *daemon.Network, name string) error {
	if !l.master.readOnly && !l.master.readWrite {
		return nil
	}
	proof, err := l.master.basic(nil)
	if err != nil || proof == nil {
		return err
	}
	protect(n, name, proof)
	return nil
}
