package fetcher

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's program be a fetching process.
func TestMain(m *testing.M) {
	if os.Getenv("FETCHER_TEST_SERVE") != "" {
		if Serve(context.Background(), os.Stdin, os.Stdout, os.Stderr) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process starts a fetching process with more in its environment; its progress goes
// to log.
func process(t testing.TB, log io.Writer, env ...string) func(stdin, stdout *os.File) error {
	return func(stdin, stdout *os.File) error {
		c := exec.CommandContext(t.Context(), "/proc/self/exe")
		c.Env = append(append(os.Environ(), "FETCHER_TEST_SERVE=1"), env...)
		c.Stdin, c.Stdout, c.Stderr = stdin, stdout, log
		if err := c.Start(); err != nil {
			return err
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = c.Wait() // what it says is what counts
		}()
		t.Cleanup(func() { <-done })
		return nil
	}
}

// try carries out an order in this process, and returns what was told.
func try(t testing.TB, o Order) (log string, err error) {
	t.Helper()
	text, jerr := json.Marshal(o)
	if jerr != nil {
		t.Fatal(jerr)
	}
	var news, lines bytes.Buffer
	err = serve(t.Context(), bytes.NewReader(text), &news, &lines, means{drop: become, patience: make([]time.Duration, 3)})
	told := listen(&news, nil)
	if (err == nil) != (told == nil) || err != nil && told.Error() != cut(err.Error()) {
		t.Errorf("ended with %v and told %v", err, told)
	}
	if entries, _ := os.ReadDir(o.Sandbox); err != nil {
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s is left", e.Name())
			}
		}
	}
	return lines.String(), err
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
