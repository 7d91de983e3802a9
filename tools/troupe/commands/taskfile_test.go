package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseTasks(t *testing.T) {
	tasks, err := parseTasks([]byte(`[
		{"name": "a", "command": "true", "cpus": 0.5, "mem": 64, "disk": 10, "env": {"X": "y"}, "retries": 2, "user": "me"},
		{"name": "b", "args": ["echo", "1 2"], "instances": 2}
	]`), 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 3 || tasks[1].ID != "b-1" || tasks[2].ID != "b-2" || tasks[2].Name != "b" {
		t.Fatalf("%+v", tasks)
	}
	a, b := tasks[0], tasks[1]
	if a.ID != "a" || a.Command != "true" || a.Resources != "cpus:0.5;mem:64;disk:10" || a.Env["X"] != "y" || a.Retries != 2 ||
		a.User != "me" || a.Grace != 3*time.Second {
		t.Errorf("a: %+v", a)
	}
	if b.Resources != "cpus:0.1;mem:32" || len(b.Args) != 2 || b.Args[1] != "1 2" {
		t.Errorf("b: %+v", b)
	}
}

func TestTaskFilesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		``:                                  "no list of tasks",
		`{}`:                                "no list of tasks",
		`[]`:                                "lists no task",
		`[] []`:                             "something follows",
		`[{"name": "a", "comand": "x"}]`:    "comand",
		`[{"command": "x"}]`:                "task 0: name",
		`[{"name": "a/b", "command": "x"}]`: "task 0: name",
		`[{"name": "a"}]`:                   "command",
		`[{"name": "a", "command": "x", "args": ["y"]}]`:                                  "exactly one",
		`[{"name": "a", "command": "x", "cpus": -1}]`:                                     "cpus=-1",
		`[{"name": "a", "command": "x", "mem": 1e999}]`:                                   "1e999",
		`[{"name": "a", "command": "x", "instances": 0}]`:                                 "instances=0",
		`[{"name": "a", "command": "x", "instances": 1000000}]`:                           "instances=1000000",
		`[{"name": "a", "command": "x", "retries": -1}]`:                                  "retries=-1",
		`[{"name": "a", "command": "x"}, {"name": "a", "command": "y"}]`:                  `name="a": task 0`,
		`[{"name": "a", "command": "x", "instances": 2}, {"name": "a-2", "args": ["y"]}]`: "task 0",
	} {
		if _, err := parseTasks([]byte(text), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseTasks(f *testing.F) {
	f.Add([]byte(`[{"name": "a", "command": "true", "instances": 3}]`))
	f.Add([]byte(`[{"name": "a", "args": ["x"], "cpus": 1e-9}]`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tasks, err := parseTasks(text, 0)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, task := range tasks {
			if seen[task.ID] || task.ID == "" {
				t.Fatalf("id %q is there twice, or empty", task.ID)
			}
			seen[task.ID] = true
		}
	})
}

func TestRunFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tasks.json")
	if err := os.WriteFile(file, []byte(`[{"name": "a", "command": "x"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	ok := runFlags{cpus: 1, mem: 32, instances: 1}
	for name, test := range map[string]struct {
		change func(*runFlags)
		args   []string
		want   string
	}{
		"command":     {func(*runFlags) {}, []string{"/bin/echo", "x"}, ""},
		"file":        {func(r *runFlags) { r.file = file }, nil, ""},
		"both":        {func(r *runFlags) { r.file = file }, []string{"x"}, "not both"},
		"neither":     {func(*runFlags) {}, nil, "CMD is missing"},
		"no file":     {func(r *runFlags) { r.file = "/does/not/exist" }, nil, "/does/not/exist"},
		"environment": {func(r *runFlags) { r.env = []string{"=x"} }, []string{"x"}, `--env="=x"`},
		"role":        {func(r *runFlags) { r.role = "a/" }, []string{"x"}, `--role="a/"`},
		"name":        {func(r *runFlags) { r.name = "a/b" }, []string{"x"}, "--name"},
		"instances":   {func(r *runFlags) { r.instances = 0 }, []string{"x"}, "--instances=0"},
	} {
		r := ok
		test.change(&r)
		tasks, err := r.tasks(test.args)
		switch {
		case test.want == "" && (err != nil || len(tasks) != 1):
			t.Errorf("%s: %v, %v", name, tasks, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if name := programName("/"); name != "task" {
		t.Errorf("the name of / is %q", name)
	}
}
