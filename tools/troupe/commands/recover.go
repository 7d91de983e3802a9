package commands

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"troupe/master/store/replicated"
	"troupe/tools/troupe/daemon"
)

// answerPatience bounds how long a master that is thought to be lost has to
// answer.
const answerPatience = 2 * time.Second

func recoverCommand(io Streams) *cobra.Command {
	var workDir string
	var yes bool
	c := &cobra.Command{
		Use: "recover", Short: "Begin again with one of --masters, when most of them have lost their disks", Args: exactly(),
		Long: `Make a cluster of one master alone, with the registry as its disk has it, when most
of --masters have lost theirs. To be run on the machine of a master that is left,
while none of them runs: of several, on the one with the highest term of the log,
and in equal terms the latest entry. What only the others had is lost.

Without --yes it says what is there. Afterwards start the master with --masters that
name it alone, and the others with empty work directories; take them in one after
the other with troupe masters add. A master that was thought lost must never be
started with its old work directory again.`,
	}
	c.Flags().StringVar(&workDir, "work_dir", "", "work directory of the master; required")
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if workDir == "" {
			return usageError{errRequired("work_dir")}
		}
		return recoverMaster(c.Context(), io, daemon.ReplicaFolder(workDir), yes)
	}
	return c
}

func recoverMaster(ctx context.Context, io Streams, folder string, yes bool) error {
	there, err := replicated.Inspect(folder, zap.NewNop())
	if err != nil {
		return fmt.Errorf("--work_dir: %w", err)
	}
	fmt.Fprintf(io.Out, "cluster      %s\nthis master  %s\nothers       %s\nlog          entry %d of term %d\nregistry     %d records\n",
		dash(there.Cluster), there.Address, dash(strings.Join(there.Others, ", ")), there.Entry, there.Term, there.Records)
	if err := silent(ctx, there.Others); err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(io.Err, "Nothing was changed. With --yes, %s is the only master, with this registry.\n", there.Address)
		return nil
	}
	if _, err := replicated.Recover(folder, zap.NewNop()); err != nil {
		return fmt.Errorf("--work_dir: %w", err)
	}
	fmt.Fprintf(io.Err, "Done. Start it with --masters=%s, and add others: troupe masters add.\n", there.Address)
	return nil
}

// silent refuses when somebody is there at the address of a master.
func silent(ctx context.Context, masters []string) error {
	dialer := net.Dialer{Timeout: answerPatience}
	for _, address := range masters {
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			continue // as it should be
		}
		return join(fmt.Errorf("%s answers: if that is a master of this cluster, it is not lost. While most of them are left "+
			"nothing needs to be recovered; else end it first", address), c.Close())
	}
	return ctx.Err()
}
