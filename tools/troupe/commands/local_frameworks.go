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
	service, cron         bool
	servicePort, cronPort int
	apps                  appFlags // as they are by default
}

func (f *localFrameworks) add(set *pflag.FlagSet) {
	flags.Bool(set, &f.service, "service", true, "run the service framework, too")
	set.IntVar(&f.servicePort, "service_port", servicePort, "port of the service framework, or the next one that is free; any free one where --port=0")
	flags.Bool(set, &f.cron, "cron", true, "run the cron framework, too")
	set.IntVar(&f.cronPort, "cron_port", cronPort, "port of the cron framework, or the next one that is free; any free one where --port=0")
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
	var all []daemon.LocalFramework
	for _, f := range []struct {
		name    string
		wanted  bool
		port    int
		options func(n daemon.Network, log daemon.Logging) (daemon.LocalFramework, error)
	}{
		{"service", l.frameworks.service, l.frameworks.servicePort, l.frameworks.serviceOptions},
		{"cron", l.frameworks.cron, l.frameworks.cronPort, l.frameworks.cronOptions},
	} {
		if !f.wanted {
			continue
		}
		n := network(l.portOf(f.port))
		if err := l.access.protect(&n, f.name); err != nil {
			return nil, err
		}
		o, err := f.options(n, named(f.name))
		if err != nil {
			return nil, err
		}
		o.Name, o.Listen = f.name, n.Listen
		all = append(all, o)
	}
	return all, nil
}

func (f *localFrameworks) serviceOptions(n daemon.Network, log daemon.Logging) (daemon.LocalFramework, error) {
	apps, err := f.apps.options("*", "")
	return daemon.LocalFramework{Start: func(ctx context.Context, listen, master, file string) (*daemon.Daemon, error) {
		return daemon.StartService(ctx, daemon.ServiceOptions{
			FrameworkOptions: localFramework("service", n, log, listen, master, file), State: apps, Version: Version,
		})
	}}, err
}

func (f *localFrameworks) cronOptions(n daemon.Network, log daemon.Logging) (daemon.LocalFramework, error) {
	return daemon.LocalFramework{Start: func(ctx context.Context, listen, master, file string) (*daemon.Daemon, error) {
		return daemon.StartCron(ctx, daemon.CronOptions{
			FrameworkOptions: localFramework("cron", n, log, listen, master, file), Program: Version,
		})
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

// shown is what a person looks at first of each framework.
var shown = map[string]string{"service": "/ui/", "cron": "/"}

// greet says where the frameworks are.
func (f *localFrameworks) greet(out io.Writer, style show.Style, cluster *daemon.Local) {
	for _, d := range cluster.Frameworks {
		fmt.Fprintf(out, "%s %s%s\n", style.Bold(fmt.Sprintf("%-7s", d.Name)), d.URL(), shown[d.Name])
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
