package dsl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Bounds of a file: what is larger is a mistake, such as a loop that never ends.
const (
	MaxSteps  = 50_000_000 // of Starlark's machine, over all files; about a second
	MaxJobs   = 10_000     // apps and groups
	maxValues = 1_000_000  // numbers, texts, lists and so on in all jobs
	maxNested = 64         // lists, dictionaries and groups in each other
)

// Source says where a configuration comes from.
type Source struct {
	// File is the path of the first one.
	File string
	// Read reads a file by its path: File, or what a load names, seen from the
	// folder of the file that does.
	Read func(path string) ([]byte, error)
	// Bindings are values for bind, and for {{name}} in every text of a job.
	Bindings map[string]string
	// Steps is a lower bound than MaxSteps; 0 is that.
	Steps uint64
	// Print, if not nil, gets what the files print, a line each.
	Print func(text string)
}

// Evaluate reads the jobs of a configuration. An error names the file, the line,
// and the value.
func Evaluate(ctx context.Context, s Source) (*Jobs, error) {
	e := &evaluation{Source: s, modules: map[string]*module{}, used: map[string]bool{}}
	e.thread = &starlark.Thread{Name: s.File, Load: e.load, Print: e.print}
	e.thread.SetMaxExecutionSteps(MaxSteps)
	if s.Steps > 0 {
		e.thread.SetMaxExecutionSteps(min(s.Steps, MaxSteps))
	}
	defer context.AfterFunc(ctx, func() { e.thread.Cancel(context.Cause(ctx).Error()) })()
	globals, err := e.run(path.Clean(s.File))
	if err != nil {
		return nil, explain(err)
	}
	list, ok := globals["jobs"]
	if !ok {
		return nil, fmt.Errorf("%s: jobs: is not there: it must be a list of what app() and group() made", s.File)
	}
	jobs, err := e.collect(list)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	return jobs, e.unused()
}

// evaluation is one run over a file and those that it loads.
type evaluation struct {
	Source
	thread  *starlark.Thread
	modules map[string]*module
	running []string // the files that load each other, the first one first
	used    map[string]bool
}

type module struct {
	globals starlark.StringDict
	err     error
}

func (e *evaluation) print(_ *starlark.Thread, text string) {
	if e.Print != nil {
		e.Print(text)
	}
}

// load runs a file that another one loads, once.
func (e *evaluation) load(_ *starlark.Thread, name string) (starlark.StringDict, error) {
	from := e.running[len(e.running)-1]
	file := path.Join(path.Dir(from), name)
	if path.IsAbs(name) {
		file = path.Clean(name)
	}
	if at := slices.Index(e.running, file); at >= 0 {
		return nil, fmt.Errorf("files load each other: %s", strings.Join(append(e.running[at:], file), ", "))
	}
	m := e.modules[file]
	if m == nil {
		m = &module{}
		m.globals, m.err = e.run(file)
		e.modules[file] = m
	}
	return m.globals, m.err
}

// run executes a file.
func (e *evaluation) run(file string) (starlark.StringDict, error) {
	text, err := e.Read(file)
	if err != nil {
		return nil, err
	}
	e.running = append(e.running, file)
	defer func() { e.running = e.running[:len(e.running)-1] }()
	options := &syntax.FileOptions{Set: true, TopLevelControl: true}
	return starlark.ExecFileOptions(options, e.thread, file, text, e.predeclared())
}

// predeclared is what files find: see docs/service-files.md.
func (e *evaluation) predeclared() starlark.StringDict {
	return starlark.StringDict{
		"app":   starlark.NewBuiltin("app", newApp),
		"group": starlark.NewBuiltin("group", newGroup),
		"bind":  starlark.NewBuiltin("bind", e.bind),
		"MB":    starlark.MakeInt(1), "GB": starlark.MakeInt(1024), // mem and disk are in MiB
		"MINUTES": starlark.MakeInt(60), "HOURS": starlark.MakeInt(3600), "DAYS": starlark.MakeInt(24 * 3600), // times are in seconds
	}
}

// bind is the value of a binding, or what the file has for those who give none.
func (e *evaluation) bind(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	var otherwise starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name, "default?", &otherwise); err != nil {
		return nil, err
	}
	e.used[name] = true
	value, ok := e.Bindings[name]
	switch {
	case ok:
		return starlark.String(value), nil
	case otherwise != nil:
		return otherwise, nil
	default:
		return nil, fmt.Errorf("bind: %q has no value: give it by --bind %s=VALUE", name, name)
	}
}

// unused tells of bindings that nothing asked for: most likely they are misspelt.
func (e *evaluation) unused() error {
	for _, name := range slices.Sorted(maps.Keys(e.Bindings)) {
		if !e.used[name] {
			return fmt.Errorf("--bind %s: nothing in %s asks for it", name, e.File)
		}
	}
	return nil
}

// explain has the line of a mistake at its beginning.
func explain(err error) error {
	failed := (*starlark.EvalError)(nil)
	if !errors.As(err, &failed) {
		return err
	}
	for i := len(failed.CallStack) - 1; i >= 0; i-- {
		if at := failed.CallStack[i].Pos; at.Line > 0 {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return err
}
