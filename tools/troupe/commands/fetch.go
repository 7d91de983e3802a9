package commands

import (
	"github.com/spf13/cobra"

	"troupe/slave/container/fetcher"
)

// fetchCommand is the process that fetches what one container needs.
func fetchCommand(io Streams) *cobra.Command {
	return &cobra.Command{
		Use: "fetch", Hidden: true, GroupID: groupCluster, Args: exactly(),
		Short: "Fetch into a sandbox what is ordered on standard input; executor hosts start this themselves",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := fetcher.Serve(c.Context(), io.In, io.Out, io.Err); err != nil {
				return exitStatus(failed) // the error has been told
			}
			return nil
		},
	}
}
