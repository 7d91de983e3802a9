package vm

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
)

const (
	// patience is how many seconds a processor of the machine may be stuck. On a
	// busy host each is for a while.
	patience = 100
	// boots is how often a machine is booted whose kernel gets stuck: an emulated
	// processor may miss that another one calls it, and waits for ever then.
	boots = 3
)

// errStuck ends a machine whose kernel said that a processor is stuck.
var errStuck = errors.New("a processor of the machine is stuck")

// stuckFor is what the kernel's watchdog writes.
var stuckFor = regexp.MustCompile(`soft lockup - CPU#\d+ stuck for (\d+)s`)

// console keeps what the machine writes, and calls stuck, once or more, when its
// kernel got stuck.
type console struct {
	text  bytes.Buffer // not embedded: it would be copied to past Write
	stuck func(error)
	read  int // how far stuckFor was looked for
}

// Write implements io.Writer.
func (c *console) Write(p []byte) (int, error) {
	n, err := c.text.Write(p)
	text := c.text.Bytes()
	end := bytes.LastIndexByte(text, '\n') + 1
	if end <= c.read {
		return n, err
	}
	for _, found := range stuckFor.FindAllSubmatch(text[c.read:end], -1) {
		if seconds, e := strconv.Atoi(string(found[1])); e != nil || seconds >= patience {
			c.stuck(errStuck)
		}
	}
	c.read = end
	return n, err
}
