// Command mapreduce counts the words of a folder of texts, or of the bundled
// ones, on a cluster:
//
//	go run ./examples/mapreduce -master=127.0.0.1:5050 [FOLDER]
//
// Its executor is this very program: agents must find it under the same path.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"

	"troupe/examples/mapreduce/wordcount"
	"troupe/frameworks"
)

func main() {
	master := flag.String("master", "127.0.0.1:5050", "host:port of the master")
	rest := flag.Duration("rest", 0, "how much longer each piece takes, to watch it")
	mapper := flag.Bool("map", false, "be the executor; agents use it")
	flag.Parse()
	run := func() error { return count(*master, flag.Arg(0), "-rest="+rest.String()) }
	if *mapper {
		run = func() error { return wordcount.Map(context.Background(), *rest) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func count(master, folder, rest string) error {
	j := wordcount.Job{Framework: frameworks.Options{Master: master, Name: "wordcount"}}
	if folder != "" {
		j.Texts = os.DirFS(folder)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	j.Executor = []string{self, "-map", rest}
	j.Report = func(p frameworks.Progress) { fmt.Fprintln(os.Stderr, p.TaskID, p.State) }
	counts, err := wordcount.Count(context.Background(), j)
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	for _, word := range words[:min(10, len(words))] {
		fmt.Println(counts[word], word)
	}
	return err
}
