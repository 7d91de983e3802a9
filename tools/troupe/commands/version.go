package commands

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Version is the version of this source; it follows semver.org.
const Version = "0.1.0"

func versionCommand(io Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(io.Out, "troupe %s (Mesos API v1) %s %s/%s\n", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
