package steady

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"go.uber.org/zap"
)

// variable makes the program of a test a scheduler; it holds the Options.
const variable = "TROUPE_STEADY"

// Command is this program as a process that runs the framework, if its main
// function calls Process. The environment is only what is added to.
func Command(o Options, environment []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	o.Logger = nil
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(environment, variable+"="+string(text))
	return cmd, nil
}

// Process runs the framework if this process was started as Command says, and
// returns the status to exit with; otherwise it does nothing and is false.
func Process() (status int, meant bool) {
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	if err := run(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

func run(text string) error {
	var o Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	var err error
	if o.Logger, err = zap.NewProduction(); err != nil {
		return err
	}
	return Run(context.Background(), o)
}
