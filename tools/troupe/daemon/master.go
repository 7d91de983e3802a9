package daemon

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/allocator/core"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state"
	"troupe/master/whitelist"
	"troupe/messages/mesos"
)

// resolveTimeout bounds the search for the address of this machine's name.
const resolveTimeout = 2 * time.Second

// MasterOptions are a master's settings.
type MasterOptions struct {
	Network Network
	Logging Logging
	Config  state.Config // without Info, which is made here
	// Allocator is for the allocator beside the master.
	Allocator core.Options
	// Elsewhere is an allocator in another process, which takes its place. Zero:
	// there is none.
	Elsewhere actors.PID
	// Masters are those that this one shares the registry with.
	Masters Masters
	// ZooKeeper is where the registry is, if not with Masters; with them it only
	// shows who leads.
	ZooKeeper ZooKeeper
	// WorkDir holds the registry; empty keeps it in memory, of a master alone.
	WorkDir string
	Cluster string
	// Version is that of Mesos whose APIs clients find, Program that of this program.
	Version, Program string
	// Whitelist is the path of the file that says of which hosts agents are
	// offered; empty: of all.
	Whitelist string
	// Domain is where the master stands; may be nil.
	Domain                                     *mesos.DomainInfo
	PingTimeout                                time.Duration
	MaxPingTimeouts                            int
	RegistryFetchTimeout, RegistryStoreTimeout time.Duration
	// HideFrameworkMetrics leaves single frameworks out of /metrics/snapshot.
	HideFrameworkMetrics bool
	// MaxSubscribers is how many may read the event stream at once; 0: 1000.
	MaxSubscribers int
	// Flags are shown at /flags.
	Flags map[string]string
}

// durable tells that the cluster's id outlives the master.
func (o MasterOptions) durable() bool {
	return o.WorkDir != "" || len(o.Masters.Addresses) > 0 || o.ZooKeeper.Place != nil
}

// StartMaster starts a master; it serves when this returns. A master that is
// alone leads then; one of several stands by until it is elected.
func StartMaster(ctx context.Context, o MasterOptions) (*Daemon, error) {
	views := api.NewView(o.Config.Limits)
	closeViews := func() error { views.Close(); return nil }
	d, err := start(o.Network, o.Logging, api.NewCollector(views))
	if err != nil {
		return nil, joinClose(err, closeViews)
	}
	d.release = append(d.release, closeViews)
	o.Config.Info, err = masterInfo(d.Address(), o)
	if err != nil {
		return d.abandon(err)
	}
	c := &candidate{Daemon: d, options: o, views: views, started: time.Now()}
	if err := c.openWhitelist(); err != nil {
		return d.abandon(err)
	}
	if err := c.standBy(); err != nil {
		return d.abandon(err)
	}
	if c.contest, err = c.newContest(); err != nil {
		return d.abandon(err)
	}
	d.System.Ready()
	if len(o.Masters.Addresses) > 0 || o.ZooKeeper.Place != nil {
		c.begin()
		return d, nil
	}
	term, err := c.contest.Lead(ctx)
	if err == nil {
		err = c.start(ctx, term)
	}
	if err != nil {
		return d.abandon(err)
	}
	return d, nil
}

// openWhitelist reads the whitelist, if there is one, for the first time: a
// master whose whitelist is wrong does not start.
func (c *candidate) openWhitelist() error {
	if c.options.Whitelist == "" {
		return nil
	}
	file, err := whitelist.Open(c.options.Whitelist)
	if err != nil {
		return fmt.Errorf("--whitelist: %w", err)
	}
	c.whitelist = file
	return nil
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
	ip := resolved(host)
	return &mesos.MasterInfo{
		Id:       proto.String(o.Config.MasterID),
		Ip:       proto.Uint32(legacyIP(ip)),
		Port:     proto.Uint32(uint32(port)),
		Pid:      proto.String(master.Name + "@" + address),
		Hostname: proto.String(o.Network.Hostname),
		Version:  proto.String(o.Version),
		Capabilities: []*mesos.MasterInfo_Capability{
			{Type: mesos.MasterInfo_Capability_AGENT_UPDATE.Enum()},
			{Type: mesos.MasterInfo_Capability_AGENT_DRAINING.Enum()},
			{Type: mesos.MasterInfo_Capability_QUOTA_V2.Enum()},
		},
		Domain:  o.Domain,
		Address: &mesos.Address{Hostname: proto.String(o.Network.Hostname), Ip: proto.String(ip), Port: proto.Int32(int32(port))},
	}, nil
}

// resolved is an address of a name, since clients of Mesos take no other in a
// MasterInfo; a name that is not known stays as it is.
func resolved(host string) string {
	if net.ParseIP(host) != nil {
		return host
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(found) == 0 {
		return host
	}
	return found[0].Unmap().String()
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
