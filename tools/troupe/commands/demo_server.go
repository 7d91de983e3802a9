package commands

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/flags"
)

// demoServer is the web server that the demo deploys: it greets, says at /health
// whether it is well, and when it is told to end it is ill for a while, so that who
// balances load turns away, before it ends.
type demoServer struct {
	greeting string
	drain    flags.Duration
	ending   atomic.Bool
}

func demoServerCommand() *cobra.Command {
	d := new(demoServer)
	c := &cobra.Command{
		Use: "demo-server", Hidden: true, GroupID: groupCluster, Args: exactly(),
		Short: "Serve HTTP on $PORT0 for the demo, which starts this itself",
		RunE:  func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.greeting, "greeting", "hello", "what to answer")
	duration(c.Flags(), &d.drain, "drain", time.Second, "for which it serves on when it is told to end")
	return c
}

func (d *demoServer) run(ctx context.Context) error {
	l, err := net.Listen("tcp", net.JoinHostPort("", os.Getenv("PORT0")))
	if err != nil {
		return fmt.Errorf("listen on $PORT0: %w", err)
	}
	s := &http.Server{Handler: http.HandlerFunc(d.answer), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	d.ending.Store(true)
	patience := time.NewTimer(time.Duration(d.drain))
	defer patience.Stop()
	<-patience.C
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.Shutdown(closing); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

func (d *demoServer) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" && d.ending.Load() {
		http.Error(w, "ending", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "%s from %s\n", d.greeting, os.Getenv("MESOS_TASK_ID"))
}
