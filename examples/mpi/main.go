// Command mpi runs an MPI program with MPICH's mpiexec over tasks as hosts:
//
//	mpicc -o pi examples/mpi/testdata/pi.c
//	go run ./examples/mpi -master=127.0.0.1:5050 -hosts=2 -ranks=2 ./pi
//
// mpiexec runs here. With its launcher "manual" it says which proxy it wants
// started on which host, and waits for their calls. Each of them becomes a task,
// and all are launched or none. When one is lost, everything begins anew. Hosts
// must have the program under the same path.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"troupe/frameworks"
)

type job struct {
	framework    frameworks.Options
	hosts, ranks int
	iface        string
	program      []string
}

func main() {
	j := job{framework: frameworks.Options{Name: "mpi", Patience: 10 * time.Second}}
	flag.StringVar(&j.framework.Master, "master", "127.0.0.1:5050", "host:port of the master")
	flag.IntVar(&j.hosts, "hosts", 2, "how many tasks there are")
	flag.IntVar(&j.ranks, "ranks", 2, "how many ranks each of them runs, on a CPU each")
	flag.StringVar(&j.iface, "iface", "lo", "network interface of this machine that hosts reach it by")
	retries := flag.Int("retries", 2, "how often everything begins anew after a failure")
	flag.Parse()
	j.program = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := j.run(ctx)
	for ; err != nil && *retries > 0 && ctx.Err() == nil; *retries-- {
		fmt.Fprintln(os.Stderr, err)
		err = j.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// run makes one attempt.
func (j job) run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	mpiexec := exec.CommandContext(ctx, "mpiexec.hydra", j.arguments()...)
	mpiexec.Stderr = os.Stderr
	stdout, err := mpiexec.StdoutPipe()
	if err == nil {
		err = mpiexec.Start()
	}
	if err != nil {
		return err
	}
	tasks := frameworks.NewTasks(func(p frameworks.Progress) {
		if err := p.Failure(); err != nil {
			fail(err) // or mpiexec waits for it
		}
	})
	output := bufio.NewReader(stdout)
	if err := tasks.AddGang(j.gang(output)); err != nil {
		fail(err)
	}
	tasks.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(os.Stdout, output)
		if err = errors.Join(err, mpiexec.Wait()); err != nil {
			fail(fmt.Errorf("mpiexec: %w", err))
		}
		ended <- err
	}()
	err = frameworks.Run(ctx, j.framework, tasks)
	if err != nil {
		fail(err)
	}
	return cmp.Or(err, <-ended)
}

func (j job) arguments() []string {
	var names []string
	for i := range j.hosts {
		names = append(names, fmt.Sprintf("host-%d", i))
	}
	return append([]string{
		"-launcher=manual", "-iface=" + j.iface, "-hosts=" + strings.Join(names, ","),
		"-ppn=" + fmt.Sprint(j.ranks), "-n=" + fmt.Sprint(j.hosts*j.ranks),
	}, j.program...)
}

// gang reads which proxies mpiexec wants; what follows is the program's.
func (j job) gang(output *bufio.Reader) *frameworks.Gang {
	g := &frameworks.Gang{ID: "hosts"}
	for {
		line, _ := output.ReadString('\n') // an error comes again
		proxy, more := strings.CutPrefix(line, "HYDRA_LAUNCH: ")
		if !more {
			return g
		}
		g.Members = append(g.Members, &frameworks.Task{
			ID: fmt.Sprintf("host-%d", len(g.Members)), Command: "exec " + proxy, Resources: fmt.Sprintf("cpus:%d;mem:64", j.ranks),
		})
	}
}
