package commands

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Version is the version of this source; it follows semver.org.
const Version = "0.1.0"

// MesosVersion is the version of Mesos whose APIs masters and agents speak. It is
// what they say to clients of Mesos, which compare it with what they need.
const MesosVersion = "1.11.0"

func versionCommand(io Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(io.Out, "troupe %s (APIs of Mesos %s) %s %s/%s\n", Version, MesosVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
