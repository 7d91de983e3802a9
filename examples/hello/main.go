// Command hello runs one task on a cluster and says how it went:
//
//	go run ./examples/hello -master=127.0.0.1:5050
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"troupe/frameworks"
)

func main() {
	master := flag.String("master", "127.0.0.1:5050", "host:port of the master")
	command := flag.String("command", "echo hello from $(hostname)", "what the task runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *master, *command); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, master, command string) error {
	ends, err := frameworks.RunTasks(ctx, frameworks.Options{Master: master, Name: "hello"},
		func(p frameworks.Progress) { fmt.Println(p.TaskID, p.State) },
		&frameworks.Task{ID: "hello", Command: command})
	if err != nil {
		return err
	}
	return ends[0].Failure()
}
