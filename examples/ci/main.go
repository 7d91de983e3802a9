// Command ci builds what it is told to, each build as a task, in the tradition
// of Jenkins:
//
//	go run ./examples/ci -master=127.0.0.1:5050 -listen=127.0.0.1:8090
//	curl -d 'make test' 'http://127.0.0.1:8090/builds?repo=https://git.example.com/x.git&rev=main'
//	curl http://127.0.0.1:8090/builds/1
//	curl -L http://127.0.0.1:8090/builds/1/log
//	curl -X DELETE http://127.0.0.1:8090/builds/1
//
// Builds wait until there is room for them. One whose worker is lost is queued
// again; one that fails has failed. The log comes from the worker's sandbox.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"troupe/frameworks"
)

func main() {
	o := frameworks.Options{Name: "ci"}
	flag.StringVar(&o.Master, "master", "127.0.0.1:5050", "host:port of the master")
	listen := flag.String("listen", "127.0.0.1:8090", "host:port to take builds at")
	worker := frameworks.Task{Retries: frameworks.Forever, Again: frameworks.Lost}
	flag.StringVar(&worker.Resources, "resources", "cpus:1;mem:256", "what a build needs")
	flag.DurationVar(&worker.MaxTime, "timeout", time.Hour, "how long a build may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, worker, *listen); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o frameworks.Options, worker frameworks.Task, listen string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("http://%s/builds\n", l.Addr())
	p := newPool(worker)
	server := http.Server{Handler: p.routes(), ReadTimeout: 10 * time.Second}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	go func() { fail(server.Serve(l)) }()
	return frameworks.Run(ctx, o, p.tasks)
}
