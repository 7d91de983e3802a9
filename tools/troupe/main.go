// Troupe is the one program of the project: the daemons of a cluster, a whole
// cluster on one machine, and the commands to look at and use clusters.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"troupe/tools/troupe/commands"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := commands.Run(ctx, os.Args[1:], commands.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
