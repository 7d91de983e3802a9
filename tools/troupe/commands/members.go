package commands

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
)

// membersCommand makes a command that changes who keeps the registry.
func membersCommand(io Streams, name, short, long string, change func(*client.Client, context.Context, string) error) *cobra.Command {
	r := &reader{out: io.Out}
	c := &cobra.Command{Use: name + " HOST:PORT", Short: short, Long: long, Args: exactly("the address of the master, HOST:PORT,")}
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		masters, err := r.client()
		if err != nil {
			return err
		}
		defer func() { err = join(err, masters.Close()) }()
		ctx, cancel := context.WithTimeout(c.Context(), operatorPatience)
		defer cancel()
		return explained(change(masters, ctx, args[0]))
	}
	return c
}

// explained leaves of a refusal what the master says.
func explained(err error) error {
	var status *client.StatusError
	switch {
	case !errors.As(err, &status):
		return err
	case status.Code == http.StatusNotFound:
		return errors.New("the leading master does not share its registry: it was started without --masters")
	default:
		return errors.New(status.Text)
	}
}
