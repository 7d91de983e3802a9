package container

import (
	"errors"
	"fmt"
	"strings"

	"troupe/messages/mesos"
)

// Command says what a CommandInfo wants run, in the fields of a Spec: with
// shell (the default) its value is given to /bin/sh, else its value is the
// program and its arguments are the whole argument vector.
func Command(c *mesos.CommandInfo) (path string, args []string, err error) {
	switch {
	case strings.ContainsRune(c.GetValue(), 0):
		return "", nil, errors.New("command.value has a zero byte")
	case c.GetValue() == "":
		return "", nil, errors.New("command.value is empty")
	case c.GetShell():
		return "/bin/sh", []string{"sh", "-c", c.GetValue()}, nil
	}
	for i, a := range c.GetArguments() {
		if strings.ContainsRune(a, 0) {
			return "", nil, fmt.Errorf("command.arguments[%d] has a zero byte", i)
		}
	}
	return c.GetValue(), c.GetArguments(), nil
}
