package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"troupe/frameworks/store"
)

// counter is the key under which each batch has its number, so that it tells
// which batches a store holds.
const counter = "counter"

// batch is the one with a number, from 1: several keys, of which some are
// removed, and values of which some are large.
func batch(n int) map[string][]byte {
	chance := rand.New(rand.NewPCG(uint64(n), 0))
	all := map[string][]byte{counter: []byte(strconv.Itoa(n))}
	for range chance.IntN(12) {
		key := fmt.Sprintf("key/%d", chance.IntN(40))
		switch chance.IntN(8) {
		case 0:
			all[key] = nil
		case 1:
			all[key] = pattern(n, chance.IntN(400<<10))
		default:
			all[key] = pattern(n, chance.IntN(2000))
		}
	}
	return all
}

// number is that of the last batch in what was loaded.
func number(loaded map[string][]byte) (int, error) {
	text, there := loaded[counter]
	if !there {
		return 0, nil
	}
	return strconv.Atoi(string(text))
}

// WriteForEver writes one batch after the other, beginning behind those that are
// there, and prints the number of each once it is durable. It ends with an error.
func WriteForEver(s store.Store) error {
	loaded, err := s.Load(context.Background())
	if err != nil {
		return err
	}
	n, err := number(loaded)
	for err == nil {
		n++
		if err = s.Apply(context.Background(), batch(n)); err == nil {
			fmt.Println(n)
		}
	}
	return err
}

// Check holds that a store has all batches up to the last that was
// acknowledged, or one more that was on its way, and nothing else.
func Check(t *testing.T, s store.Store, acknowledged int) {
	t.Helper()
	loaded, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, err := number(loaded)
	if err != nil || last != acknowledged && last != acknowledged+1 {
		t.Fatalf("batch %d is the last that is there, %d was acknowledged: %v", last, acknowledged, err)
	}
	model := map[string][]byte{}
	for n := range last {
		overlay(model, batch(n+1))
	}
	if why := compare(loaded, model); why != "" {
		t.Errorf("after batch %d: %s", last, why)
	}
}

// Child is a process that runs WriteForEver.
type Child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	// Acknowledged is the number of the last batch that it told of.
	Acknowledged int
}

// StartChild starts the test's own program with a variable in its environment.
func StartChild(t *testing.T, variable string) *Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	return &Child{cmd: cmd, lines: bufio.NewScanner(out)}
}

// Read reads what the child acknowledges until there are n batches more, or
// until it ends; it returns what it said last, after the word END.
func (c *Child) Read(t *testing.T, n int) (end string) {
	t.Helper()
	for ; n != 0 && c.lines.Scan(); n-- {
		if why, ended := strings.CutPrefix(c.lines.Text(), "END "); ended {
			return why
		}
		got, err := strconv.Atoi(c.lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		c.Acknowledged = got
	}
	return ""
}

// Signal sends the child a signal.
func (c *Child) Signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}
