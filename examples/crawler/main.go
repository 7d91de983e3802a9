// Command crawler draws how the pages of a site link to each other, with a
// small picture of each, in the tradition of RENDLER:
//
//	go run ./examples/crawler -master=127.0.0.1:5050 -out=site http://127.0.0.1:8000/
//	dot -Tsvg -o graph.svg site/graph.dot
//
// Two executors do the work: one reads a page and returns its links, the other
// draws it. Both are this very program, which agents fetch from here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"troupe/executor"
	"troupe/frameworks"
	"troupe/frameworks/files"
)

func main() {
	o := frameworks.Options{Name: "crawler", Patience: 10 * time.Second}
	flag.StringVar(&o.Master, "master", "127.0.0.1:5050", "host:port of the master")
	listen := flag.String("listen", "127.0.0.1:0", "host:port that agents fetch this program from")
	out := flag.String("out", ".", "folder for the graph and the pictures")
	pages := flag.Int("pages", 100, "how many pages are read at most")
	be := flag.String("be", "", "be an executor, crawl or render; agents use it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *be {
	case "crawl":
		err = executor.RunTasks(ctx, crawl)
	case "render":
		err = executor.RunTasks(ctx, render)
	default:
		err = run(ctx, o, flag.Arg(0), *listen, *out, *pages)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o frameworks.Options, start, listen, out string, pages int) (err error) {
	if _, err := url.ParseRequestURI(start); err != nil {
		return err
	}
	if pages < 1 {
		return fmt.Errorf("-pages=%d: must be at least 1", pages)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server, err := files.Start(files.Options{Listen: listen})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(ctx)) }()
	program, err := server.File("crawler", self)
	if err != nil {
		return err
	}
	s := newSite(start, out, pages, program.Fetch()+" && exec ./crawler")
	if err := frameworks.Run(ctx, o, s.tasks); err != nil {
		return err
	}
	return errors.Join(s.err, os.WriteFile(filepath.Join(out, "graph.dot"), []byte(s.graph()), 0o666))
}
