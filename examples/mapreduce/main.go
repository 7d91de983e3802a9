// Command mapreduce maps and reduces the lines of files with any two commands,
// in the tradition of Hadoop's streaming. This counts words:
//
//	go run ./examples/mapreduce -master=127.0.0.1:5050 -out=counts \
//	    -map="tr -cs A-Za-z '\n'" -reduce='uniq -c' examples/wordcount/testdata/*
//
// Every file is a task; then every part of the result, to which all lines go that
// are alike up to their first tab. They take what is offered, give it back when
// they end, and are begun anew when they are killed. Agents must see the files
// and the folder of the result under the same paths.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"troupe/frameworks"
)

// What tasks run: each works in a folder of its own, and moves what is whole.
const (
	mapScript = `set -e
cd "$(mktemp -d -p "$WORK")"
sh -c "$DO" <"$FILE" >mapped
touch $(seq -f part-%g "$PARTS")
awk -F'\t' '
	BEGIN { for (i = 0; i < 256; i++) code[sprintf("%c", i)] = i }
	{
		hash = 0
		for (i = 1; i <= length($1); i++) hash = (hash * 31 + code[substr($1, i, 1)]) % 65521
		print >("part-" (hash % ENVIRON["PARTS"] + 1))
	}' mapped
for part in part-*; do mv "$part" "$WORK/$part-of-$ID"; done`

	reduceScript = `set -e
cd "$(mktemp -d -p "$WORK")"
LC_ALL=C sort "$WORK/$ID-of-"* >sorted
sh -c "$DO" <sorted >reduced
mv reduced "$OUT/$ID"`
)

type job struct {
	framework                       frameworks.Options
	mapper, reducer, resources, out string
	parts                           int
	files                           []string
}

func main() {
	j := job{framework: frameworks.Options{Name: "mapreduce"}}
	flag.StringVar(&j.framework.Master, "master", "127.0.0.1:5050", "host:port of the master")
	flag.StringVar(&j.mapper, "map", "cat", "command that maps a file")
	flag.StringVar(&j.reducer, "reduce", "cat", "command that reduces the sorted lines of a part")
	flag.StringVar(&j.resources, "resources", "cpus:1;mem:64", "what a task needs")
	flag.StringVar(&j.out, "out", ".", "folder for the result")
	flag.IntVar(&j.parts, "parts", 2, "how many parts the result has")
	flag.Parse()
	j.files = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := j.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func (j job) run(ctx context.Context) error {
	if j.parts < 1 || len(j.files) == 0 {
		return errors.New("there must be a file, and a part of the result")
	}
	out, err := filepath.Abs(j.out)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(out, ".mapreduce-")
	if err != nil {
		return err
	}
	task := func(id, script, do, file string) *frameworks.Task {
		return &frameworks.Task{
			ID: id, Command: script, Resources: j.resources, Retries: 5,
			Env: map[string]string{"ID": id, "DO": do, "FILE": file, "OUT": out, "WORK": work, "PARTS": fmt.Sprint(j.parts)},
		}
	}
	var maps, reduces []*frameworks.Task
	for i, file := range j.files {
		path, e := filepath.Abs(file)
		maps, err = append(maps, task(fmt.Sprintf("map-%d", i+1), mapScript, j.mapper, path)), errors.Join(err, e)
	}
	for i := range j.parts {
		reduces = append(reduces, task(fmt.Sprintf("part-%d", i+1), reduceScript, j.reducer, ""))
	}
	if err == nil {
		err = j.phase(ctx, maps)
	}
	if err == nil {
		err = j.phase(ctx, reduces)
	}
	return errors.Join(err, os.RemoveAll(work))
}

// phase runs tasks until all have finished, and shows how many run meanwhile.
func (j job) phase(ctx context.Context, tasks []*frameworks.Task) error {
	running, done := map[string]bool{}, 0
	ends, err := frameworks.RunTasks(ctx, j.framework, func(p frameworks.Progress) {
		delete(running, p.TaskID)
		if failure := p.Failure(); failure != nil {
			fmt.Println(failure)
		} else if p.Final {
			done++
		} else {
			running[p.TaskID] = true
		}
		fmt.Printf("%s of %d: %d run, %d done\n", p.Task.ID, len(tasks), len(running), done)
	}, tasks...)
	for _, p := range ends {
		err = errors.Join(err, p.Failure())
	}
	return err
}
