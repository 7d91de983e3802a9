package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"troupe/master"
	"troupe/master/api"
	"troupe/master/election"
	"troupe/master/store"
	"troupe/master/store/replicated"
)

// Masters says who keeps the registry among themselves.
type Masters struct {
	// Addresses of all of them, host:port; none: this master is the only one.
	Addresses []string
	// ElectionTimeout as in replicated.Options; 0 is its default.
	ElectionTimeout time.Duration
}

// contest is this master's part in the election, by what its options say.
func (c *candidate) newContest() (election.Contest, error) {
	switch {
	case len(c.options.Masters.Addresses) > 0:
		return c.joinMasters()
	case c.options.ZooKeeper.Place != nil:
		return c.standInZooKeeper()
	}
	return election.Alone(c.options.Config.Info, c.openRegistry), nil
}

// openRegistry opens the registry of the only master.
func (c *candidate) openRegistry(_ context.Context, o election.Opening) (election.Registry, error) {
	dir := c.options.WorkDir
	if dir == "" {
		return store.NewMemory(o.NewCluster), nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", dir, err)
	}
	if _, err := os.Stat(ReplicaFolder(dir)); err == nil {
		return nil, fmt.Errorf("--work_dir=%q holds the registry of several masters: give --masters, or another folder", dir)
	}
	file, err := store.Open(registryFile(dir), o.NewCluster)
	if err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", dir, err)
	}
	return file, nil
}

func registryFile(workDir string) string { return filepath.Join(workDir, "registry.db") }

// ReplicaFolder is where a master with others keeps its registry.
func ReplicaFolder(workDir string) string { return filepath.Join(workDir, "registry") }

// joinMasters opens this master's replica of the registry.
func (c *candidate) joinMasters() (election.Contest, error) {
	o := c.options
	switch _, err := os.Stat(registryFile(o.WorkDir)); {
	case err == nil:
		return nil, fmt.Errorf("--work_dir=%q holds the registry of a single master: leave out --masters, or give another folder", o.WorkDir)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	replica, err := master.NewReplica(c.System)
	if err != nil {
		return nil, err
	}
	node, err := replicated.Open(replicated.Options{
		Folder: ReplicaFolder(o.WorkDir), Masters: o.Masters.Addresses, Address: c.Address(), Info: o.Config.Info,
		Wire: replica, ElectionTimeout: o.Masters.ElectionTimeout, Logger: o.Logging.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("--masters: %w", err)
	}
	replica.Deliver(node.Receive)
	c.replica.Store(node)
	c.mountMembership(node)
	return node, nil
}

// mountMembership lets operators see and change who the masters are.
func (c *candidate) mountMembership(node *replicated.Node) {
	api.MountMembership(c.System, api.Membership{
		List: func() ([]api.Member, error) {
			members, err := node.Members()
			all := make([]api.Member, len(members))
			for i, m := range members {
				all[i] = api.Member(m)
			}
			return all, err
		},
		Add: node.Add, Remove: node.Remove,
		Elsewhere: func(w http.ResponseWriter, r *http.Request) bool {
			if c.leading.Load() {
				return false
			}
			c.redirect(w, r)
			return true
		},
	})
}
