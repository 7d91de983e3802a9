package fetcher

import (
	"context"
	"os"

	"troupe/slave/container"
	"troupe/slave/container/isolator"
)

// Client has fetched what the commands of containers want. Safe for concurrent
// use.
type Client struct {
	Settings Settings
	// Path, Args and Env are those of a program that calls Serve.
	Path string
	Args []string
	Env  []string
}

// Environment picks what a fetching process has use for out of an environment: by
// which proxies servers are reached, and which certificates are trusted.
func Environment(lookup func(string) (string, bool)) []string {
	var env []string
	for _, name := range []string{
		"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	} {
		if value, ok := lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Fetch puts what a container's command wants into its sandbox, by a process that
// start starts in the container and that becomes its user. Progress is told what
// takes its time. An error names the URI; nothing goes on when ctx has ended it.
func (f Client) Fetch(ctx context.Context, c *isolator.Container, start func(container.Spec) (container.Process, error), progress func(doing string)) error {
	o, err := OrderOf(c.Sandbox, c.User, c.Command, f.Settings)
	if err != nil {
		return err
	}
	var process container.Process
	forget := func() bool { return true }
	err = Supervise(ctx, o, func(stdin, stdout *os.File) error {
		var err error
		process, err = start(container.Spec{
			Path: f.Path, Args: f.Args, Dir: c.Sandbox, Env: f.Env, Streams: [3]*os.File{stdin, stdout},
		})
		if err == nil {
			forget = context.AfterFunc(ctx, func() { process.Kill(0) })
		}
		return err
	}, progress)
	if process != nil {
		<-process.Done()
	}
	if !forget() && err != nil {
		return context.Cause(ctx)
	}
	return err
}
