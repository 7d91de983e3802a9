// Command batch runs the commands of a file, one a line, as tasks of a
// cluster; those that fail are tried again:
//
//	go run ./examples/batch -master=127.0.0.1:5050 -retries=2 COMMANDS.txt
//
// Empty lines and lines that begin with # are left out.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"

	"troupe/frameworks"
)

func main() {
	var o frameworks.Options
	flag.StringVar(&o.Master, "master", "127.0.0.1:5050", "host:port of the master")
	flag.StringVar(&o.Name, "name", "batch", "name of the framework")
	retries := flag.Int("retries", 2, "how often a command that fails is run again")
	resources := flag.String("resources", "cpus:0.5;mem:32", "what each command needs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	tasks, err := read(flag.Arg(0), frameworks.Task{Retries: *retries, Resources: *resources, Backoff: time.Second})
	if err == nil {
		err = run(ctx, o, tasks, os.Stdout, term.IsTerminal(int(os.Stdout.Fd())))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// read makes a task like the template out of each line.
func read(file string, template frameworks.Task) ([]*frameworks.Task, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var tasks []*frameworks.Task
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			t := template
			t.ID, t.Command = fmt.Sprintf("line-%d", n), line
			tasks = append(tasks, &t)
		}
	}
	return tasks, lines.Err()
}

// run shows a bar on a terminal, and failures as lines.
func run(ctx context.Context, o frameworks.Options, tasks []*frameworks.Task, w io.Writer, terminal bool) error {
	ended, failed, clear := 0, 0, ""
	if terminal {
		clear = "\r\033[K"
	}
	_, err := frameworks.RunTasks(ctx, o, func(p frameworks.Progress) {
		failure := p.Failure()
		if failure != nil {
			fmt.Fprintf(w, "%s%v: %s\n", clear, failure, p.Task.Command)
		}
		if p.Final {
			ended++
		}
		if p.Final && failure != nil {
			failed++
		}
		if done := 40 * ended / len(tasks); terminal {
			fmt.Fprintf(w, "%s[%s%s] %d/%d", clear, strings.Repeat("#", done), strings.Repeat(".", 40-done), ended, len(tasks))
		}
	}, tasks...)
	fmt.Fprintf(w, "%s%d of %d commands finished\n", clear, ended-failed, len(tasks))
	if err == nil && failed > 0 {
		err = errors.New("not all commands finished")
	}
	return err
}
