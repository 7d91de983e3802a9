package logs

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

var defaults = Settings{StdoutSize: DefaultSize, StderrSize: DefaultSize, Keep: DefaultKeep}

// commanded is a container whose command has these variables, as NAME=value.
func commanded(variables ...string) *isolator.Container {
	e := &mesos.Environment{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: proto.String(name), Value: proto.String(value)})
	}
	return &isolator.Container{ID: []string{"a"}, Command: &mesos.CommandInfo{Environment: e}}
}

func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings Settings
		c        *isolator.Container
		want     plan.Logs
	}{
		{"no command", defaults, &isolator.Container{}, plan.Logs{StdoutSize: 10 << 20, StderrSize: 10 << 20, Keep: 4}},
		{"nothing asked for", defaults, commanded("A=b", "CONTAINER_LOGGER_OTHER=1"), plan.Logs{StdoutSize: 10 << 20, StderrSize: 10 << 20, Keep: 4}},
		{"sizes", defaults, commanded("CONTAINER_LOGGER_MAX_STDOUT_SIZE=4KB", "CONTAINER_LOGGER_MAX_STDERR_SIZE= 1.5MB"), plan.Logs{StdoutSize: 4096, StderrSize: 3 << 19, Keep: 4}},
		{"older files", defaults, commanded("CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS=rotate 9\n"), plan.Logs{StdoutSize: 10 << 20, StderrSize: 10 << 20, Keep: 9}},
		{"the larger", defaults, commanded("CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS=rotate 2", "CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS=\n rotate  3 \n"), plan.Logs{StdoutSize: 10 << 20, StderrSize: 10 << 20, Keep: 3}},
		{"none, as logrotate", defaults, commanded("CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS="), plan.Logs{StdoutSize: 10 << 20, StderrSize: 10 << 20}},
		{"a prefix", Settings{MinSize, MinSize, 0, "LOG_"}, commanded("LOG_MAX_STDOUT_SIZE=1GB", "CONTAINER_LOGGER_MAX_STDERR_SIZE=x"), plan.Logs{StdoutSize: 1 << 30, StderrSize: MinSize}},
	} {
		i, err := New(test.settings)
		if err != nil {
			t.Fatal(err)
		}
		var p plan.Plan
		if err := i.Prepare(t.Context(), test.c, &p); err != nil || p.Logs == nil || *p.Logs != test.want {
			t.Errorf("%s: %v; got %+v, want %+v", test.name, err, p.Logs, test.want)
		}
	}
}

func TestRefused(t *testing.T) {
	i, err := New(defaults)
	if err != nil || i.Name() != Name {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{
		"CONTAINER_LOGGER_MAX_STDOUT_SIZE=4095B":                              "of 4096 bytes or more",
		"CONTAINER_LOGGER_MAX_STDOUT_SIZE=10":                                 "like 10MB",
		"CONTAINER_LOGGER_MAX_STDERR_SIZE=":                                   "like 10MB",
		"CONTAINER_LOGGER_MAX_STDERR_SIZE=NaNMB":                              "like 10MB",
		"CONTAINER_LOGGER_MAX_STDERR_SIZE=1e30TB":                             "like 10MB",
		"CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS=rotate 9\ncompress":        `line "compress"`,
		"CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS=rotate -1":                 "from 0 to 100",
		"CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS=rotate 101":                "from 0 to 100",
		"CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS=postrotate\nrm -rf /\nend": `line "postrotate"`,
	} {
		var p plan.Plan
		err := i.Prepare(t.Context(), commanded(variable), &p)
		name, _, _ := strings.Cut(variable, "=")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || p.Logs != nil {
			t.Errorf("%s: got %v, and %+v", variable, err, p.Logs)
		}
	}
	for want, s := range map[string]Settings{
		"max_stdout_size": {StdoutSize: MinSize - 1, StderrSize: MinSize},
		"max_stderr_size": {StdoutSize: MinSize},
		"keep":            {StdoutSize: MinSize, StderrSize: MinSize, Keep: -1},
		"between":         {StdoutSize: MinSize, StderrSize: MinSize, Keep: MaxKeep + 1},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v", s, err)
		}
	}
}

func FuzzOverride(f *testing.F) {
	f.Add("MAX_STDOUT_SIZE", "10MB")
	f.Add("LOGROTATE_STDERR_OPTIONS", "rotate 5\n")
	f.Fuzz(func(t *testing.T, name, value string) {
		l := plan.Logs{StdoutSize: MinSize, StderrSize: MinSize}
		v := &mesos.Environment_Variable{Name: &name, Value: &value}
		if override(&l, name, v) == nil && (l.StdoutSize < MinSize || l.StderrSize < MinSize || l.Keep < 0 || l.Keep > MaxKeep) {
			t.Errorf("%s=%q gives %+v", name, value, l)
		}
	})
}
