package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/allocator"
	"troupe/allocator/core"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state"
	"troupe/master/store"
	"troupe/messages/mesos"
)

// MasterOptions are a master's settings.
type MasterOptions struct {
	Network Network
	Logging Logging
	Config  state.Config // without Info, which is made here
	// Allocator is for the allocator beside the master.
	Allocator core.Options
	// WorkDir holds the registry; empty keeps it in memory.
	WorkDir                                    string
	Cluster, Version                           string
	PingTimeout                                time.Duration
	MaxPingTimeouts                            int
	RegistryFetchTimeout, RegistryStoreTimeout time.Duration
	// Flags are shown at /flags.
	Flags map[string]string
}

// registryStore is a store that can be closed.
type registryStore interface {
	master.Store
	Close() error
}

// StartMaster starts a master with its allocator; it serves when this returns.
func StartMaster(ctx context.Context, o MasterOptions) (*Daemon, error) {
	registry, err := openRegistry(o)
	if err != nil {
		return nil, err
	}
	views := api.NewView(o.Config.Limits)
	closeViews := func() error { views.Close(); return nil }
	d, err := start(o.Network, o.Logging, api.NewCollector(views))
	if err != nil {
		return nil, joinClose(err, registry.Close, closeViews)
	}
	d.release = append(d.release, registry.Close, closeViews)
	if _, err := d.System.Spawn(master.AllocatorName, allocator.New(allocator.Options{Options: o.Allocator, Seed: rand.Uint64()})); err != nil {
		return d.abandon(err)
	}
	o.Config.Info, err = masterInfo(d.Address(), o)
	if err != nil {
		return d.abandon(err)
	}
	leadership, err := master.Start(ctx, d.System, master.Options{
		Config: o.Config, Store: registry, Publisher: views,
		PingTimeout: o.PingTimeout, MaxPingTimeouts: o.MaxPingTimeouts,
		RegistryFetchTimeout: o.RegistryFetchTimeout, RegistryStoreTimeout: o.RegistryStoreTimeout,
	})
	if err != nil {
		return d.abandon(err)
	}
	d.background(leadership.Done(), func() { d.fail(leadership.Err()) })
	now := time.Now()
	api.Mount(d.System, views, api.Info{
		Version: o.Version, Started: now, Elected: now, MasterID: o.Config.MasterID, Hostname: o.Network.Hostname,
		Port: int(o.Config.Info.GetPort()), PID: master.Name + "@" + d.Address(), Cluster: o.Cluster, Flags: o.Flags,
		Metrics: []func(func(string, float64)){leadership.Metrics},
	})
	return d, nil
}

func openRegistry(o MasterOptions) (registryStore, error) {
	if o.WorkDir == "" {
		return store.NewMemory(o.Config.MasterID), nil
	}
	if err := os.MkdirAll(o.WorkDir, 0o755); err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	file, err := store.Open(filepath.Join(o.WorkDir, "registry.db"), o.Config.MasterID)
	if err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	return file, nil
}

// masterInfo is what frameworks are told of the master.
func masterInfo(address string, o MasterOptions) (*mesos.MasterInfo, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, err
	}
	return &mesos.MasterInfo{
		Id:       proto.String(o.Config.MasterID),
		Ip:       proto.Uint32(legacyIP(host)),
		Port:     proto.Uint32(uint32(port)),
		Pid:      proto.String(master.Name + "@" + address),
		Hostname: proto.String(o.Network.Hostname),
		Version:  proto.String(o.Version),
		Address:  &mesos.Address{Hostname: proto.String(o.Network.Hostname), Ip: proto.String(host), Port: proto.Int32(int32(port))},
	}, nil
}

// legacyIP is an IPv4 address as MasterInfo has it, its first byte lowest; 0
// for others.
func legacyIP(host string) uint32 {
	ip := net.ParseIP(host).To4()
	if ip == nil {
		return 0
	}
	return uint32(ip[0]) | uint32(ip[1])<<8 | uint32(ip[2])<<16 | uint32(ip[3])<<24
}
