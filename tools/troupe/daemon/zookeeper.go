package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/store/znodes"
	"troupe/messages/masters"
)

// ZooKeeper says where masters are elected and keep the registry, or where it is
// shown who leads.
type ZooKeeper struct {
	// Nil: not in ZooKeeper.
	Place *masters.ZooKeeper
	// 0 is zookeeper.DefaultSessionTimeout.
	SessionTimeout time.Duration
}

// standInZooKeeper makes this master a candidate in ZooKeeper.
func (c *candidate) standInZooKeeper() (election.Contest, error) {
	o := c.options
	for _, other := range []string{registryFile(o.WorkDir), ReplicaFolder(o.WorkDir)} {
		if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("--work_dir=%q holds a registry of its own, %s: leave out --zk, or give another folder: %w",
				o.WorkDir, other, errors.Join(fs.ErrExist, err))
		}
	}
	if err := os.MkdirAll(o.WorkDir, 0o755); err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	if _, err := readCluster(o.WorkDir); err != nil {
		return nil, err
	}
	options := c.zooKeeper()
	if elsewhere(options.Place.Servers) && loopback(c.Address()) {
		o.Logging.Logger.Warn("Others are told an address that is of this machine alone: see --ip and --advertise_ip", zap.String("address", c.Address()))
	}
	return zookeeper.NewContest(options, o.Config.Info, c.openZnodes), nil
}

func (c *candidate) zooKeeper() zookeeper.Options {
	z := c.options.ZooKeeper
	return zookeeper.Options{Place: *z.Place, SessionTimeout: z.SessionTimeout, Logger: c.options.Logging.Logger}
}

// publish shows in ZooKeeper that this master leads, where it is elected
// elsewhere, until what it returns is called. It leads on if that cannot be.
func (c *candidate) publish() (end func()) {
	if c.options.ZooKeeper.Place == nil || len(c.options.Masters.Addresses) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := zookeeper.Publish(ctx, c.zooKeeper(), c.options.Config.Info); err != nil {
			c.options.Logging.Logger.Error("ZooKeeper does not show who leads", zap.Error(err))
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// openZnodes opens the registry of the cluster that the work directory belongs
// to; a new work directory belongs to the cluster that it meets first.
func (c *candidate) openZnodes(ctx context.Context, t *zookeeper.Term, o election.Opening) (election.Registry, error) {
	known, err := readCluster(c.options.WorkDir)
	if err != nil {
		return nil, err
	}
	o.Expect = known
	registry, err := znodes.Open(ctx, t, o)
	if err != nil || known != "" {
		return registry, err
	}
	if err := writeCluster(c.options.WorkDir, registry.ClusterID()); err != nil {
		return nil, errors.Join(err, registry.Close())
	}
	return registry, nil
}

// clusterFile holds the id of the cluster that a work directory belongs to.
func clusterFile(workDir string) string { return filepath.Join(workDir, "cluster") }

// maxClusterID bounds that file, in bytes.
const maxClusterID = 256

// readCluster is empty for a work directory that belongs to none.
func readCluster(workDir string) (string, error) {
	data, err := os.ReadFile(clusterFile(workDir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("--work_dir=%q: %w", workDir, err)
	}
	id, whole := strings.CutSuffix(string(data), "\n")
	if !whole || id == "" || len(data) > maxClusterID || strings.ContainsAny(id, "\n\x00") {
		return "", fmt.Errorf("--work_dir=%q: %s holds no id of a cluster: delete it if this master belongs to the cluster at --zk", workDir, clusterFile(workDir))
	}
	return id, nil
}

// writeCluster leaves no file or a whole one.
func writeCluster(workDir, id string) error {
	fresh := clusterFile(workDir) + ".new"
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("--work_dir=%q: %w", workDir, err)
	}
	_, err = f.WriteString(id + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(fresh, clusterFile(workDir))
	}
	if err == nil {
		err = syncFolder(workDir)
	}
	if err != nil {
		return fmt.Errorf("--work_dir=%q: %w", workDir, err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// elsewhere tells whether one of the addresses is of another machine.
func elsewhere(addresses []string) bool {
	for _, a := range addresses {
		if !loopback(a) {
			return true
		}
	}
	return false
}

// loopback tells whether an address host:port is of this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
