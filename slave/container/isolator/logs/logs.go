// Package logs bounds what is kept of the output of containers, as
// --container_logger asks: their init rotates stdout and stderr by size. Imported
// by wiring.
package logs

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Name is that of the isolator, which --isolation does not know: it comes with
// --container_logger.
const Name = "logs"

// Settings are what containers have that do not ask for something else. They
// travel as JSON.
type Settings struct {
	// StdoutSize and StderrSize are in bytes, MinSize at least.
	StdoutSize uint64 `json:"max_stdout_size"`
	StderrSize uint64 `json:"max_stderr_size"`
	// Keep is how many older files are kept of each, at most MaxKeep.
	Keep int `json:"keep"`
	// Prefix begins the names of the environment variables by which a command asks
	// for something else; empty: DefaultPrefix.
	Prefix string `json:"environment_variable_prefix,omitempty"`
}

// Bounds and defaults of settings.
const (
	DefaultSize   = 10 << 20
	DefaultKeep   = 4
	DefaultPrefix = "CONTAINER_LOGGER_"
	// MinSize is a page, as in Mesos.
	MinSize = 4096
	MaxKeep = 100
)

// Isolator plans for rotation. It keeps no state.
type Isolator struct{ settings Settings }

// New refuses settings out of bounds; the error names which.
func New(s Settings) (*Isolator, error) {
	for _, size := range []struct {
		name  string
		bytes uint64
	}{{"max_stdout_size", s.StdoutSize}, {"max_stderr_size", s.StderrSize}} {
		if size.bytes < MinSize {
			return nil, field.Invalid(size.name, size.bytes, "is less than %d bytes", MinSize)
		}
	}
	if s.Keep < 0 || s.Keep > MaxKeep {
		return nil, field.Invalid("keep", s.Keep, "is not between 0 and %d", MaxKeep)
	}
	if s.Prefix == "" {
		s.Prefix = DefaultPrefix
	}
	return &Isolator{s}, nil
}

// Name implements isolator.Isolator.
func (*Isolator) Name() string { return Name }

// Prepare implements isolator.Isolator: it plans the rotation that the agent's
// settings, or the container's command, ask for. Errors name the variable.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	l := plan.Logs{StdoutSize: i.settings.StdoutSize, StderrSize: i.settings.StderrSize, Keep: -1}
	for _, v := range c.Command.GetEnvironment().GetVariables() {
		name, ours := strings.CutPrefix(v.GetName(), i.settings.Prefix)
		if !ours {
			continue
		}
		if err := override(&l, name, v); err != nil {
			return field.Invalid("command.environment.variables "+v.GetName(), v.GetValue(), "%v", err)
		}
	}
	if l.Keep < 0 {
		l.Keep = i.settings.Keep
	}
	p.Logs = &l
	return nil
}

// override takes one variable of a command; others are its own.
func override(l *plan.Logs, name string, v *mesos.Environment_Variable) (err error) {
	switch name {
	case "MAX_STDOUT_SIZE":
		l.StdoutSize, err = sizeOf(v.GetValue())
	case "MAX_STDERR_SIZE":
		l.StderrSize, err = sizeOf(v.GetValue())
	case "LOGROTATE_STDOUT_OPTIONS", "LOGROTATE_STDERR_OPTIONS":
		var keep int
		if keep, err = keepOf(v.GetValue()); err == nil {
			l.Keep = max(l.Keep, keep) // both files keep as many
		}
	}
	return err
}

var units = []struct {
	name string
	unit float64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

// sizeOf reads a size such as "512MB"; units are powers of 1024.
func sizeOf(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(number, 64)
		if size := x * u.unit; err == nil && size >= MinSize && size < math.MaxInt64 {
			return uint64(size), nil
		}
		break
	}
	return 0, fmt.Errorf("is no size of %d bytes or more, like 10MB (B KB MB GB TB)", MinSize)
}

// keepOf reads options of logrotate, of which "rotate" alone has a meaning here.
func keepOf(options string) (int, error) {
	keep := 0 // as logrotate does without options
	for line := range strings.FieldsFuncSeq(options, func(r rune) bool { return r == '\n' }) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		n, err := -1, error(nil)
		if len(words) == 2 && words[0] == "rotate" {
			n, err = strconv.Atoi(words[1])
		}
		if err != nil || n < 0 || n > MaxKeep {
			return 0, fmt.Errorf("has the line %q; what can be asked for is a line \"rotate N\", N from 0 to %d", strings.TrimSpace(line), MaxKeep)
		}
		keep = n
	}
	return keep, nil
}
