// Package commands is troupe's command line: a file for each command, which
// turns flags into a value and calls the part that does the work. Only
// tools/troupe and its tests import it.
package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/flags"
)

// Streams are the standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit statuses other than 0; `run` passes on its task's.
const (
	failed = 1
	usage  = 2
)

// exitStatus ends the program with a status of its own and says nothing more.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Run runs the command that args name until it ends or ctx does, and returns
// the program's exit status.
func Run(ctx context.Context, args []string, io Streams) int {
	root := Root(io)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var status exitStatus
	var misuse usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &misuse):
		fmt.Fprintf(io.Err, "troupe: %v\nSee '%s --help'.\n", err, command.CommandPath())
		return usage
	default:
		fmt.Fprintf(io.Err, "troupe: %v\n", err)
		return failed
	}
}

const (
	groupCluster = "cluster"
	groupUse     = "use"
	groupTest    = "test"
)

// Root builds the command tree.
func Root(io Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "troupe",
		Short: "A cluster manager that speaks the Mesos v1 APIs",
		Long: `Troupe runs other people's distributed systems on a cluster: agents offer their
resources, frameworks decide what to run on them.

Every flag can also be set in the environment (TROUPE_WORK_DIR for --work_dir)
or in a file of lines name = value given with --config; a value file:///path is
read from that file; in names, - and _ are the same.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: resolveFlags,
		Args:              noSuchCommand,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(io.In)
	root.SetOut(io.Out)
	root.SetErr(io.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(
		&cobra.Group{ID: groupCluster, Title: "Run a cluster:"},
		&cobra.Group{ID: groupUse, Title: "Use a cluster:"},
		&cobra.Group{ID: groupTest, Title: "Test Troupe itself:"})
	root.AddCommand(all(io)...)
	flags.Prepare(root)
	return root
}

// all is every command, in the order of the help.
func all(io Streams) []*cobra.Command {
	return []*cobra.Command{
		localCommand(io), masterCommand(io), agentCommand(io), serviceCommand(io), cronCommand(io), hostCommand(io), fetchCommand(io), demoMapperCommand(), demoServerCommand(),
		runCommand(io), mastersCommand(io), agentsCommand(io), frameworksCommand(io), tasksCommand(io), topCommand(io), slackCommand(io), offersCommand(io), actorsCommand(io),
		rolesCommand(io), quotaCommand(io), weightsCommand(io), reservationsCommand(io), maintenanceCommand(io),
		simulateCommand(io), versionCommand(io),
	}
}

func resolveFlags(c *cobra.Command, _ []string) error {
	if err := flags.Resolve(c.Flags(), os.LookupEnv); err != nil {
		return usageError{err}
	}
	return nil
}

func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("there is no command %q", c.CommandPath()+" "+args[0])}
	}
	return nil
}

// exactly checks the number of arguments and names what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError{fmt.Errorf("%s is missing", names[len(args)])}
		case len(args) > len(names):
			return usageError{fmt.Errorf("too many arguments: %q", args[len(names)])}
		}
		return nil
	}
}

// atMost checks that there is a first argument, which it names, and that there
// are no more than so many; 0 means any number.
func atMost(most int, name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError{fmt.Errorf("%s is missing", name)}
		case most > 0 && len(args) > most:
			return usageError{fmt.Errorf("too many arguments: %q", args[most])}
		}
		return nil
	}
}
