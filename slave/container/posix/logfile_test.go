package posix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBoundLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	bound := func() {
		t.Helper()
		if err := BoundLog(path, 10); err != nil {
			t.Fatal(err)
		}
	}
	want := func(file, text string) {
		t.Helper()
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("%s holds %q, %v; want %q", file, got, err, text)
		}
	}
	bound() // there is none
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	write := func(text string) {
		t.Helper()
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("0123456789")
	bound()
	want(path, "0123456789")
	write("abc")
	bound()
	want(path, "")
	want(path+".1", "3456789abc")
	write("further") // whoever has it open goes on at the beginning
	want(path, "further")
	write(strings.Repeat("x", 10))
	bound()
	want(path+".1", strings.Repeat("x", 10))

	// Where no copy can be made, the file is short all the same.
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	write("too much again")
	if err := BoundLog(path, 10); err == nil || !strings.Contains(err.Error(), path+".new") {
		t.Errorf("error is %v", err)
	}
	want(path, "")
}
