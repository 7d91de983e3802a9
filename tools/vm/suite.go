package vm

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Suite is the tests of a package, which are built and run in a machine.
type Suite struct {
	// Package is its import path.
	Package string
	// Run and SkipTests are patterns, as for go test -run and -skip; empty is all,
	// and none.
	Run, SkipTests string
	// Tags are for building, such as "vm".
	Tags string
	// Race builds it with the race detector, which takes a machine of 1500 MiB, and
	// a C compiler for its architecture.
	Race bool
	// Args are added to those of the test binary, such as "-test.v".
	Args []string
	// Env is added, as NAME=value.
	Env []string
}

// Built is a suite that runs in any number of machines.
type Built struct {
	suite   Suite
	program Program
}

// Build builds suites for machines of m's architecture; what it makes is there until
// t ends.
func (m Machine) Build(t *testing.T, suites ...Suite) []Built {
	t.Helper()
	dir := t.TempDir()
	built := make([]Built, len(suites))
	for i, s := range suites {
		built[i] = Built{s, s.build(t, m.Arch, filepath.Join(dir, strings.ReplaceAll(s.Package, "/", "_")+".test"))}
	}
	return built
}

// Skipping is the suite without the tests of a pattern, as for go test -skip, beside
// those that it skips already.
func (b Built) Skipping(pattern string) Built {
	if b.suite.SkipTests != "" {
		pattern = b.suite.SkipTests + "|" + pattern
	}
	b.suite.SkipTests = pattern
	b.program.Args = append(slices.Clone(b.program.Args), "-test.skip="+pattern)
	return b
}

// Test builds suites and runs them in one machine; see TestBuilt.
func (m Machine) Test(t *testing.T, suites ...Suite) {
	t.Helper()
	m.TestBuilt(t, m.Build(t, suites...)...)
}

// TestBuilt runs suites in one machine, each as a test of its own below t. What a
// failed one wrote is its log.
func (m Machine) TestBuilt(t *testing.T, suites ...Built) {
	t.Helper()
	programs := make([]Program, len(suites))
	for i, s := range suites {
		programs[i] = s.program
	}
	r, err := m.Run(t.Context(), programs...)
	if err != nil {
		t.Fatal(err)
	}
	outputs := exitLine.Split(r.Console, -1)
	for i, s := range suites {
		t.Run(s.suite.Package, func(t *testing.T) {
			if r.Codes[i] != 0 {
				t.Errorf("exit status %d\n%s", r.Codes[i], outputs[i])
				return
			}
			if strings.Contains(outputs[i], "no tests to run") {
				t.Errorf("no tests to run: -run %q", s.suite.Run)
			}
			t.Log(outputs[i])
		})
	}
}

func (s Suite) build(t *testing.T, arch, to string) Program {
	t.Helper()
	args := []string{"test", "-c", "-vet=off", "-o", to}
	env := append(os.Environ(), "CGO_ENABLED=0")
	if s.Race {
		args = append(args, "-race", "-ldflags=-linkmode external -extldflags -static")
		env = append(os.Environ(), "CGO_ENABLED=1")
	} else {
		args = append(args, "-ldflags=-s -w") // the less there is, the sooner it boots
	}
	env = append(env, "GOARCH="+or(arch, runtime.GOARCH))
	if s.Tags != "" {
		args = append(args, "-tags", s.Tags)
	}
	c := exec.CommandContext(t.Context(), "go", append(args, s.Package)...)
	c.Env = env
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	p := Program{Path: to, Env: s.Env, Args: append([]string{"-test.timeout=30m"}, s.Args...)}
	if s.Run != "" {
		p.Args = append(p.Args, "-test.run="+s.Run)
	}
	if s.SkipTests != "" {
		p.Args = append(p.Args, "-test.skip="+s.SkipTests)
	}
	return p
}
