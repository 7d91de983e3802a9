package commands

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/dsl"
	"troupe/tools/troupe/deploy"
	"troupe/tools/troupe/show"
)

// fileFlags are what commands have in common that are given a configuration.
type fileFlags struct {
	io            Streams
	server        string
	bindings      []string
	as            proofFlags
	tls           tlsFlags
	force, detach bool
}

// serviceFileCommands have the service framework run what a file says.
func serviceFileCommands(io Streams) []*cobra.Command {
	const about = `

FILE is in Starlark: see docs/service-files.md.`
	return []*cobra.Command{
		fileCommand(io, &cobra.Command{
			Use: "plan FILE", Short: "Show what apply would change, and in which steps",
			Long:    "Show what apply would change, and in which steps. Nothing is changed." + about,
			Example: `  troupe service plan site.star --bind env=prod`,
		}, (*fileFlags).plan),
		fileCommand(io, &cobra.Command{
			Use: "apply FILE", Short: "Have the services run that a file says, and follow the deployment to its end",
			Long:    "Have the services run that a file says, and follow the deployment to its end. All of it is\naccepted, or none." + about,
			Example: `  troupe service apply site.star --bind env=prod`,
		}, (*fileFlags).apply),
		fileCommand(io, &cobra.Command{
			Use: "diff FILE", Short: "Show in what the services differ from a file; exit with 1 if they do",
			Long: "Show in what the services that run differ from a file. The exit status is 0 if they do not,\n1 if they do, and 2 if that cannot be told." + about,
		}, (*fileFlags).diff),
		fileCommand(io, &cobra.Command{
			Use: "rollback FILE", Short: "Bring the services of a file back to the version before the one of now",
			Long: "Bring all that a file names back to the version before the one of now: each app, or the group.\nDone twice, it is as it was." + about,
		}, (*fileFlags).rollback),
	}
}

func fileCommand(io Streams, c *cobra.Command, run func(f *fileFlags, ctx context.Context, file string) error) *cobra.Command {
	f := &fileFlags{io: io}
	c.Args = exactly("FILE")
	set := c.Flags()
	set.StringVar(&f.server, "server", "http://127.0.0.1:8080", "where the service framework is")
	set.StringArrayVar(&f.bindings, "bind", nil, "a value for bind(\"name\") and {{name}} in the file, as name=value; may be given several times")
	if name := c.Name(); name == "apply" || name == "rollback" {
		set.BoolVar(&f.force, "force", false, "in spite of deployments that change the same; they end where they are")
		set.BoolVar(&f.detach, "detach", false, "do not wait for the deployment's end")
	}
	f.tls.add(set)
	f.as.add(set)
	c.RunE = func(c *cobra.Command, args []string) error { return run(f, c.Context(), args[0]) }
	return c
}

// jobs reads the file.
func (f *fileFlags) jobs(ctx context.Context, file string) (*dsl.Jobs, error) {
	bindings := map[string]string{}
	for _, b := range f.bindings {
		name, value, ok := strings.Cut(b, "=")
		if !ok || name == "" {
			return nil, flagError("bind", b, "is not name=value")
		}
		bindings[name] = value
	}
	return dsl.Evaluate(ctx, dsl.Source{
		File: file, Read: os.ReadFile, Bindings: bindings, Print: func(text string) { fmt.Fprintln(f.io.Err, text) },
	})
}

// client reaches the framework.
func (f *fileFlags) client() (*client.Client, error) {
	at, err := url.Parse(f.server)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, flagError("server", f.server, "is no URL such as http://127.0.0.1:8080")
	}
	c := client.New(f.server)
	if f.as.secret != "" && f.as.principal == "" {
		return nil, flagError("secret", "…", "needs --principal")
	}
	c.User, c.Password = f.as.principal, f.as.secret
	secured, err := f.tls.client()
	if err != nil {
		return nil, err
	}
	if secured != nil {
		c.HTTP.Transport = &http.Transport{TLSClientConfig: secured, ForceAttemptHTTP2: true}
	}
	return c, nil
}

// ready reads the file and finds the framework.
func (f *fileFlags) ready(ctx context.Context, file string) (*client.Client, *dsl.Jobs, error) {
	c, err := f.client()
	if err != nil {
		return nil, nil, err
	}
	jobs, err := f.jobs(ctx, file)
	return c, jobs, err
}

func (f *fileFlags) plan(ctx context.Context, file string) error {
	c, jobs, err := f.ready(ctx, file)
	if err != nil {
		return err
	}
	p, err := deploy.Of(jobs).Plan(ctx, c)
	if err != nil {
		return err
	}
	if err := deploy.PrintChanges(f.io.Out, show.StyleFor(f.io.Out), p); err != nil {
		return err
	}
	return deploy.PrintSteps(f.io.Out, p)
}

func (f *fileFlags) diff(ctx context.Context, file string) error {
	p, err := client.Plan{}, error(nil)
	c, jobs, err := f.ready(ctx, file)
	if err == nil {
		p, err = deploy.Of(jobs).Plan(ctx, c)
	}
	if err != nil {
		fmt.Fprintf(f.io.Err, "troupe: %v\n", err)
		return exitStatus(usage)
	}
	if err := deploy.PrintChanges(f.io.Out, show.StyleFor(f.io.Out), p); err != nil {
		return err
	}
	if !deploy.Empty(p) {
		return exitStatus(failed)
	}
	return nil
}

func (f *fileFlags) apply(ctx context.Context, file string) error {
	c, jobs, err := f.ready(ctx, file)
	if err != nil {
		return err
	}
	return f.carryOut(ctx, c, deploy.Of(jobs))
}

func (f *fileFlags) rollback(ctx context.Context, file string) error {
	c, jobs, err := f.ready(ctx, file)
	if err != nil {
		return err
	}
	back, err := deploy.Back(ctx, c, jobs)
	if err != nil {
		return err
	}
	return f.carryOut(ctx, c, back)
}

// carryOut makes a change and follows it.
func (f *fileFlags) carryOut(ctx context.Context, c *client.Client, r deploy.Request) error {
	p, err := r.Plan(ctx, c)
	if err != nil {
		return err
	}
	if err := deploy.PrintChanges(f.io.Out, show.StyleFor(f.io.Out), p); err != nil || deploy.Empty(p) {
		return err
	}
	ends, err := deploy.Listen(ctx, c)
	if err != nil {
		return err
	}
	defer ends.Close() // nothing more is read
	id, err := r.Make(ctx, c, f.force)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.io.Out, "deployment %s\n", id); err != nil || f.detach {
		return err
	}
	if err := ends.Follow(ctx, c, id, f.io.Err); err != nil {
		return err
	}
	_, err = fmt.Fprintln(f.io.Out, show.StyleFor(f.io.Out).Green("done"))
	return err
}
