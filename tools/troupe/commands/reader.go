package commands

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// reader is what commands that look at a cluster have in common.
type reader struct {
	master string
	json   bool
	tls    tlsFlags
	as     proofFlags
	out    io.Writer
}

// readerCommand makes a command that reads the master's state and shows it.
func readerCommand(io Streams, c *cobra.Command, run func(ctx context.Context, r *reader, args []string) error) *cobra.Command {
	r := &reader{out: io.Out}
	r.addFlags(c)
	c.Flags().BoolVar(&r.json, "json", false, "print JSON for programs")
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), r, args) }
	return c
}

// masterUsage says what --master may be.
const masterUsage = "where the masters are: host:port, several with commas between, zk://[user:password@]host:port,…/path, or file:///path of a file with one of these"

// addFlags adds what it takes to reach a master.
func (r *reader) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&r.master, "master", "127.0.0.1:5050", masterUsage)
	r.tls.add(c.Flags())
	r.as.add(c.Flags())
}

// proofFlags say who a command proves to be where daemons ask.
type proofFlags struct {
	principal, secret string
}

func (p *proofFlags) add(set *pflag.FlagSet) {
	set.StringVar(&p.principal, "principal", "", "who to be, where daemons ask for credentials over HTTP")
	set.StringVar(&p.secret, "secret", "", "the principal's secret; others on this machine see it here: better TROUPE_SECRET, or file:///path")
}

// put lets a client prove it.
func (p *proofFlags) put(c *client.Client) error {
	switch {
	case p.secret != "" && p.principal == "":
		return usageError{errors.New("--secret needs --principal")}
	case strings.Contains(p.principal, ":"):
		return flagError("principal", p.principal, "has a colon")
	case p.secret != "":
		c.ProveToBe(p.principal, p.secret)
	}
	return nil
}

func (r *reader) client() (*client.Client, error) {
	secure, err := r.tls.client()
	if err != nil {
		return nil, err
	}
	c, err := client.New(r.master, secure)
	if err != nil {
		return nil, usageError{err}
	}
	if err := r.as.put(c); err != nil {
		return nil, join(err, c.Close())
	}
	return c, nil
}

// state reads the master's state.
func (r *reader) state(ctx context.Context) (state *client.State, err error) {
	c, err := r.client()
	if err != nil {
		return nil, err
	}
	defer func() { err = join(err, c.Close()) }()
	return c.State(ctx)
}

func (r *reader) style() show.Style { return show.StyleFor(r.out) }
