package terminal

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTerminal(t *testing.T) {
	term, err := Open(-1)
	if err != nil {
		t.Fatal(err)
	}
	defer term.Ours.Close() // nothing was promised
	if err := term.Resize(33, 1<<20); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "stty size; read line; echo got $line; test -t 0 && test -t 1 && echo terminal")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.Theirs, term.Theirs, term.Theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := term.Theirs.Close(); err != nil {
		t.Fatal(err)
	}
	if err := term.Ours.SetReadDeadline(time.Now().Add(3 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Ours.WriteString("some words\n"); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for in := bufio.NewScanner(term.Ours); in.Scan(); { // until the last user of the theirs is gone
		lines = append(lines, in.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	said := strings.Join(lines, "|")
	for _, want := range []string{"33 65535", "got some words", "terminal"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q lacks %q", said, want)
		}
	}
}

func TestRefused(t *testing.T) {
	term, err := Open(-1)
	if err != nil {
		t.Fatal(err)
	}
	for _, close := range []func() error{term.Theirs.Close, term.Ours.Close} {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := term.Resize(1, 1); err == nil {
		t.Error("a closed terminal was resized")
	}
}
