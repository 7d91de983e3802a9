package remains

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExitsAreForgotten(t *testing.T) {
	work := t.TempDir()
	e := In(work)
	if err := e.ForgetAll(func(string) bool { return true }); err == nil {
		t.Error("a folder that is not there was read")
	}
	for range 2 {
		if err := e.Make(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := os.WriteFile(e.Path(id, ""), []byte("0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		for _, task := range []string{"x", strings.Repeat("long/", 100)} {
			path := e.Path(id, task)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("0\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 { // again, after a crash
		if err := e.Forget("a"); err != nil {
			t.Error(err)
		}
		if err := e.ForgetTask("c", "x"); err != nil {
			t.Error(err)
		}
	}
	if err := e.ForgetAll(func(id string) bool { return id == "c" }); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(work, "meta", "exits", "*"))
	if err != nil || !slices.Equal(left, []string{e.Path("c", ""), e.Path("c", "") + ".tasks"}) {
		t.Errorf("%v, %v", left, err)
	}
	if left, err = filepath.Glob(filepath.Join(e.Path("c", "")+".tasks", "*")); err != nil || len(left) != 1 || left[0] == e.Path("c", "x") {
		t.Errorf("of tasks are left %v, %v", left, err)
	}
	if err := os.MkdirAll(filepath.Join(e.Path("d", ""), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := e.Forget("d"); err == nil {
		t.Error("a folder with something in it is no record, and was removed")
	}
}
