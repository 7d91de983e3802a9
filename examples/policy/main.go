// Command policy decides who is offered what, in place of the allocator that is
// in the master's process:
//
//	go run ./examples/policy -listen=127.0.0.1:5052
//	troupe master --allocator=allocator@127.0.0.1:5052 --work_dir=…
//
// It may end and start again at any time: the master tells it all there is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"troupe/actors"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5052", "host:port to listen on; only the master should reach it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, listen string) error {
	system, err := actors.New(actors.Options{Listen: listen})
	if err != nil {
		return err
	}
	pid, err := system.Spawn("allocator", new(packing))
	if err == nil {
		fmt.Printf("ready: --allocator=%s@%s\n", pid.Name, pid.Address)
		<-ctx.Done()
	}
	if closing := system.Close(context.Background()); err == nil {
		err = closing
	}
	return err
}
