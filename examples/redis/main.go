// Command redis keeps N Redis servers running: a primary, and replicas of it:
//
//	go run ./examples/redis -master=127.0.0.1:5050 -members=3 -listen=127.0.0.1:7000
//	curl http://127.0.0.1:7000              # who they are
//	curl -X PUT -d 5 http://127.0.0.1:7000  # how many there shall be
//
// Each is a task with a port of its own. Twice a second all are asked what they
// are, and told what they shall be. When the primary is lost, the replica that
// knows most takes its place, and a new server follows it. The servers have no
// password, and end with this program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"troupe/frameworks"
)

// most is how many servers there may be.
const most = 100

func main() {
	o := frameworks.Options{Name: "redis"}
	flag.StringVar(&o.Master, "master", "127.0.0.1:5050", "host:port of the master")
	members := flag.Int("members", 3, "how many servers there shall be")
	listen := flag.String("listen", "127.0.0.1:7000", "host:port to be asked at")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, *members, *listen); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o frameworks.Options, members int, listen string) error {
	if members < 1 || members > most {
		return fmt.Errorf("-members=%d: must be from 1 to %d", members, most)
	}
	k := &keeper{wanted: members}
	k.tasks = frameworks.NewTasks(k.report)
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("http://%s\n", l.Addr())
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	server := http.Server{Handler: k, ReadTimeout: 10 * time.Second}
	go func() { fail(server.Serve(l)) }()
	go func() {
		for tick := time.NewTicker(500 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			k.tend(ctx)
		}
	}()
	return frameworks.Run(ctx, o, k.tasks)
}

// ServeHTTP shows the members, and takes how many there shall be.
func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Method == http.MethodPut {
		wanted := 0
		if _, err := fmt.Fscan(io.LimitReader(r.Body, 10), &wanted); err != nil || wanted < 1 || wanted > most {
			http.Error(w, fmt.Sprintf("the body must be a number from 1 to %d", most), http.StatusBadRequest)
			return
		}
		k.wanted = wanted
	}
	for _, m := range k.members {
		role := "replica"
		if m.task == "" {
			role = "starting"
		} else if m.task == k.primary {
			role = "primary"
		}
		fmt.Fprintln(w, m.name, role, m.address)
	}
}
