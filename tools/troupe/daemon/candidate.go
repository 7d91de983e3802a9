package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/inspect"
	"troupe/allocator"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/api/scheduler"
	"troupe/master/election"
	"troupe/master/state"
	"troupe/master/store/replicated"
	"troupe/messages/carrier/files"
	"troupe/messages/carrier/guard"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// candidate is a master that stands by until it is elected, and leads then.
type candidate struct {
	*Daemon
	options MasterOptions
	views   *api.View
	contest election.Contest
	started time.Time
	files   files.Attached
	replica atomic.Pointer[replicated.Node]  // nil for masters that do not share the registry
	leader  atomic.Pointer[mesos.MasterInfo] // who leads, as far as is known
	leading atomic.Bool
	// whitelist is nil when agents of all hosts are offered.
	whitelist master.Whitelist
	// mount mounts what a leader shows.
	mount func(api.Info)
}

// standBy makes the actor and the route that tell who leads, until lead does.
func (c *candidate) standBy() error {
	_, err := c.System.Spawn(master.Name, master.NewStandby(c.leader.Load))
	api.MountLeader(c.System, func() (*mesos.MasterInfo, bool) { return c.leader.Load(), c.leading.Load() })
	c.mount = api.MountOwn(c.System, c.views, c.info())
	c.mountFiles()
	c.System.Route("/", "leads to the leading master, while this one does not lead", http.HandlerFunc(c.redirect))
	return err
}

// mountFiles lets clients read this master's log, if it is kept in a file.
func (c *candidate) mountFiles() {
	if file := c.options.Logging.File; file != "" {
		c.files.Attach("/master/log", file)
	}
	for path, handler := range c.files.Routes() {
		c.System.Route(path, files.Help, handler)
		c.System.Route("/master"+path, files.Help, handler)
	}
}

// info is what this master shows of itself whether it leads or not.
func (c *candidate) info() api.Info {
	o := c.options
	return api.Info{
		Version: o.Version, Program: o.Program, Started: c.started, MasterID: o.Config.MasterID, Hostname: o.Network.Hostname,
		Port: int(o.Config.Info.GetPort()), PID: master.Name + "@" + c.Address(), Cluster: o.Cluster, Flags: o.Flags,
		Master: o.Config.Info, Logging: c.log, Files: &c.files,
		Metrics: []func(func(string, float64)){c.figures},
	}
}

// members are the masters that this one knows of: itself, or those that share the
// registry.
func (c *candidate) members() []string {
	var all []string
	if node := c.replica.Load(); node != nil {
		members, err := node.Members()
		for i := range members {
			if err == nil { // else it is closing
				all = append(all, members[i].Address)
			}
		}
	}
	if len(all) == 0 {
		all = []string{c.Address()}
	}
	return all
}

// figures puts what waits for the actors, and the figures of a replica, if
// there is one.
func (c *candidate) figures(put func(key string, value float64)) {
	put("master/event_queue_messages", float64(c.System.Depth(master.Name)))
	put("master/event_queue_dispatches", 0) // an actor's queue holds messages alone
	put("master/event_queue_http_requests", 0)
	if c.options.Elsewhere.IsZero() {
		put("allocator/event_queue_dispatches", float64(c.System.Depth(master.AllocatorName)))
		put("allocator/mesos/event_queue_dispatches", float64(c.System.Depth(master.AllocatorName)))
	}
	if node := c.replica.Load(); node != nil {
		node.Metrics(put)
	}
}

// redirect sends HTTP clients to the same path of the leader. The Location has
// no scheme, as Mesos's clients expect.
func (c *candidate) redirect(w http.ResponseWriter, r *http.Request) {
	leader := c.leader.Load()
	address, err := masters.Address(leader)
	switch {
	case c.leading.Load(), strings.HasPrefix(strings.TrimPrefix(r.URL.Path, "/master"), "/redirect/"): // a loop, perhaps
		http.NotFound(w, r)
	case leader == nil && c.alone():
		unavailable(w, "Master has not finished recovery")
	case leader == nil || err != nil:
		unavailable(w, "No leader elected")
	case election.Same(leader, c.options.Config.Info): // and is about to lead
		unavailable(w, "Master has not finished recovery")
	default:
		path := r.URL.RequestURI()
		if r.URL.Path == "/redirect" || r.URL.Path == "/master/redirect" {
			path = ""
		}
		w.Header()["Location"] = []string{"//" + address + path}
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// alone tells that nobody else could lead.
func (c *candidate) alone() bool {
	return len(c.options.Masters.Addresses) == 0 && c.options.ZooKeeper.Place == nil
}

func unavailable(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// begin lets the election decide, in the background: a master that is elected
// leads until its term is lost, and the daemon fails then.
func (c *candidate) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() {
		c.follow(ctx)
		done <- struct{}{}
	}()
	go func() {
		if err := c.lead(ctx); err != nil && ctx.Err() == nil {
			c.fail(err)
		}
		done <- struct{}{}
	}()
	c.early = append(c.early, func() error {
		cancel()
		err := c.contest.Close()
		<-done
		<-done
		return err
	})
}

// follow keeps in mind who leads.
func (c *candidate) follow(ctx context.Context) {
	var known *mesos.MasterInfo
	for {
		leader, err := c.contest.Leader(ctx, known)
		if err != nil {
			return // lead says why
		}
		c.leader.Store(leader)
		if err := sameRegion(leader, c.options.Config.Info); err != nil {
			c.fail(err)
			return
		}
		if address, err := masters.Address(leader); err == nil {
			c.options.Logging.Logger.Info("A master leads", zap.String("master", address), zap.String("id", leader.GetId()))
		} else {
			c.options.Logging.Logger.Info("No master leads")
		}
		known = leader
	}
}

// sameRegion says whether two masters can be of one cluster: what is near to
// the masters must not depend on which leads.
func sameRegion(leader, own *mesos.MasterInfo) error {
	theirs, ours := leader.GetDomain().GetFaultDomain(), own.GetDomain().GetFaultDomain()
	if theirs == nil || ours == nil || theirs.GetRegion().GetName() == ours.GetRegion().GetName() {
		return nil
	}
	return fmt.Errorf("--domain: the leading master is in region %q and this one in %q: all masters must be in one region",
		theirs.GetRegion().GetName(), ours.GetRegion().GetName())
}

// lead waits to be elected, becomes the leading master, and returns when the
// term is lost or ctx is done.
func (c *candidate) lead(ctx context.Context) error {
	term, err := c.contest.Lead(ctx)
	if err != nil {
		return err
	}
	c.options.Logging.Logger.Info("This master is elected")
	if err := c.start(ctx, term); err != nil {
		return err
	}
	defer c.publish()()
	select {
	case <-term.Lost():
		// Nothing more is said in the name of the master that led.
		return errors.Join(term.Err(), c.System.Stop(ctx, c.System.PID(master.Name)))
	case <-ctx.Done():
		return nil
	}
}

// start makes this master the leading one.
func (c *candidate) start(ctx context.Context, term election.Term) error {
	o := c.options
	fetch, cancel := context.WithTimeout(ctx, o.RegistryFetchTimeout)
	defer cancel()
	registry, err := term.Registry(fetch, election.Opening{NewCluster: o.Config.MasterID})
	if err != nil {
		return fmt.Errorf("--registry: %w", err)
	}
	c.release = append(c.release, registry.Close)
	if o.durable() {
		o.Config.ClusterID = registry.ClusterID()
	}
	if err := c.System.Stop(ctx, c.System.PID(master.Name)); err != nil {
		return err
	}
	decides, figures, err := c.allocate()
	if err != nil {
		return err
	}
	o.Config.Allocator = state.Peer(decides.String())
	leadership, err := master.Start(ctx, c.System, master.Options{
		Config: o.Config, Store: registry, Publisher: c.views, Whitelist: c.whitelist,
		PingTimeout: o.PingTimeout, MaxPingTimeouts: o.MaxPingTimeouts,
		RegistryFetchTimeout: o.RegistryFetchTimeout, RegistryStoreTimeout: o.RegistryStoreTimeout,
	})
	if err != nil {
		return err
	}
	c.background(term.Lost(), func() { leadership.End(term.Err()) })
	c.background(leadership.Done(), func() { c.fail(leadership.Err()) })
	info := c.info()
	info.Elected = time.Now()
	info.HideFrameworkMetrics = o.HideFrameworkMetrics
	info.MaxSubscribers = o.MaxSubscribers
	info.Metrics = append(info.Metrics, leadership.Metrics, figures, inspect.Machine)
	c.mount(info)
	api.MountOperator(c.System, c.views, info, func(ctx context.Context, request proto.Message) (proto.Message, error) {
		if p, proved := guard.PrincipalOf(ctx); proved {
			ctx = actors.AskedFor(ctx, p.Name)
		}
		return c.System.Ask(ctx, c.System.PID(master.Name), request)
	})
	api.MountExplain(c.System, func(ctx context.Context, request proto.Message) (proto.Message, error) {
		return c.System.Ask(ctx, decides, request)
	})
	api.MountProcesses(c.System, c.views, api.Processes{
		From: c.System, Self: c.System.PID(master.Name), Scheme: c.scheme, Members: c.members,
	})
	scheduler.Mount(c.System, c.System, scheduler.Options{Master: c.System.PID(master.Name)})
	c.leader.Store(o.Config.Info)
	c.leading.Store(true)
	return nil
}

// allocate starts the allocator, unless it is elsewhere, and returns its address
// and its figures.
func (c *candidate) allocate() (actors.PID, func(put func(string, float64)), error) {
	if e := c.options.Elsewhere; !e.IsZero() {
		c.options.Logging.Logger.Info("The allocator is another process", zap.Stringer("allocator", e))
		return e, func(func(string, float64)) {}, nil
	}
	shares := allocator.New(allocator.Options{Options: c.options.Allocator, Seed: rand.Uint64()})
	pid, err := c.System.Spawn(master.AllocatorName, shares)
	return pid, shares.Metrics, err
}
