package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"troupe/slave/container/isolator"
)

// isolate makes the agent's own isolators, by which it measures containers and ends
// what lost hosts have left, and tells hosts to make theirs alike. An error says
// what the machine lacks for what is asked for: no task would run as promised.
func (o *AgentOptions) isolate() (*isolator.Set, error) {
	o.Isolation.WorkDir = o.WorkDir
	if o.Isolation.Fetching.CacheDir == "" {
		o.Isolation.Fetching.CacheDir = filepath.Join(o.WorkDir, "fetch")
	}
	if err := os.MkdirAll(o.WorkDir, 0o755); err != nil { // whose disk some have a look at
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	held, err := o.Isolation.Set(func(err error) {
		o.Logging.Logger.Error("something went wrong with the isolation of containers", zap.Error(err))
	})
	if err != nil {
		return nil, fmt.Errorf("--isolation=%q: %w", strings.Join(o.Isolation.Names, ","), err)
	}
	if o.Config.Isolation, err = o.Isolation.JSON(); err != nil {
		return nil, err
	}
	o.Config.QuotaCPUs = o.Isolation.Cgroups.Quota
	o.Config.MountVolumes = o.Isolation.MountsVolumes()
	return held, nil
}
