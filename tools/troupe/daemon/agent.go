package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/master/detector"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave"
	"troupe/slave/api"
	"troupe/slave/checkpoint"
	"troupe/slave/container/posix"
	"troupe/slave/container/remains"
	"troupe/slave/container/sandbox"
	"troupe/slave/container/volumes"
	"troupe/slave/detect"
	"troupe/slave/state"
	"troupe/slave/state/slack"
	"troupe/slave/state/view"
	"troupe/tools/troupe/isolation"
)

// AgentOptions are an agent's settings.
type AgentOptions struct {
	Network Network
	Logging Logging
	Config  state.Config // without Info, which is made here
	// Master says where the masters are; see package masters.
	Master string
	// WorkDir holds the journal and the sandboxes; it is made if need be.
	WorkDir string
	// Resources and Attributes as the flags have them; what Resources does not
	// name is detected. DefaultRole is for resources that name none.
	Resources, Attributes, DefaultRole string
	// Domain is where the agent stands; may be nil.
	Domain *mesos.DomainInfo
	// Collect says when sandboxes are removed.
	Collect           sandbox.Policy
	DiskWatchInterval time.Duration
	// Strict: refuse a damaged journal, instead of leaving out what cannot be
	// read.
	Strict bool
	Hosts  HostCommand
	// ExecutorHeartbeat is the time between HEARTBEAT events; 0: 30 minutes.
	ExecutorHeartbeat time.Duration
	// StreamHeartbeat is the time between heartbeats on streams of containers'
	// output; 0: 30 seconds.
	StreamHeartbeat time.Duration
	// CompletedExecutors are remembered of each framework; 0: 150.
	CompletedExecutors int
	// Isolation is how containers are made, without the WorkDir.
	Isolation isolation.Settings
	// Lending is without its meter.
	Lending slave.Lending
	// Program is the version of this program; that in Config is of Mesos's APIs.
	Program string
	// Flags are shown at /flags.
	Flags map[string]string
}

// Agent is an agent that runs.
type Agent struct {
	*Daemon
	service *slave.Service
	hosts   *hostProcesses
}

// ErrOrdered ends an agent that was told to end.
var ErrOrdered = errors.New("the agent was told to end")

// StartAgent starts an agent; it serves when this returns, and looks for its
// master from then on.
func StartAgent(o AgentOptions) (*Agent, error) {
	seeker, err := detector.Open(o.Master, detector.Options{TLS: o.Network.TLS, Logger: o.Logging.Logger, Backoff: detector.Backoff{
		First: o.Config.RegistrationBackoff / 10, Longest: 2 * o.Config.RegistrationBackoff,
	}})
	if err != nil {
		return nil, fmt.Errorf("--master=%q: %w", masters.Redact(o.Master), err)
	}
	a, err := startAgent(o, seeker)
	if err != nil {
		return nil, joinClose(err, seeker.Close)
	}
	a.release = append(a.release, seeker.Close)
	return a, nil
}

func startAgent(o AgentOptions, seeker detector.Detector) (a *Agent, err error) {
	if o.WorkDir, err = filepath.Abs(o.WorkDir); err != nil {
		return nil, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	held, err := o.isolate()
	if err != nil {
		return nil, err
	}
	journal, err := openJournal(o)
	if err != nil {
		return nil, err
	}
	layout := sandbox.Layout{WorkDir: o.WorkDir}
	views := api.NewView(view.Limits{CompletedExecutors: o.CompletedExecutors}, layout.Agent)
	meter := newMeter(layout, held, o.Isolation.Cgroups.Quota, o.Logging.Logger)
	figures := api.NewCollector(views, meter.measure)
	d, err := start(o.Network, o.Logging, figures)
	if err != nil {
		return nil, joinClose(err, journal.Journal.Close)
	}
	d.release = append(d.release, journal.Journal.Close)
	unclaim, err := o.Isolation.Claim()
	if err != nil {
		_, err = d.abandon(fmt.Errorf("--cgroups_root=%q: %w", o.Isolation.Cgroups.Root, err))
		return nil, err
	}
	d.release = append(d.release, unclaim)
	if o.Config.Info, err = agentInfo(d.Address(), o); err != nil {
		_, err = d.abandon(err)
		return nil, err
	}
	collector := sandbox.NewCollector(layout, o.Collect)
	folders := sandboxes{layout, collector, filepath.Join(o.WorkDir, "hosts.log"), remains.In(o.WorkDir), o.Logging.Logger}
	if err := folders.exits.Make(); err != nil {
		_, err = d.abandon(fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err))
		return nil, err
	}
	a = &Agent{Daemon: d, hosts: &hostProcesses{
		command: o.Hosts, output: folders.hostLog,
		sweeper: remains.Sweeper{Isolators: held, Processes: posix.KillBySandbox, Exit: folders.exitOf},
	}}
	o.Config.Capabilities = slave.Capabilities(o.Isolation.HoldsLimits())
	o.Lending.Meter, o.Lending.History = meter, slack.NewHistory()
	mountAgent(a.Daemon, views, figures, collector, meter, o)
	return a, a.serve(slave.Options{
		Config: o.Config, Detector: seeker, Records: journal.Records, Rebooted: journal.Rebooted,
		Damaged: len(journal.Damage),
		Journal: journal.Journal, Sandboxes: folders,
		Volumes:   volumes.Store{WorkDir: o.WorkDir},
		Processes: a.hosts, Publisher: views, DiskWatchInterval: o.DiskWatchInterval,
		Lending: o.Lending,
	})
}

// openJournal tells of what it had to leave out.
func openJournal(o AgentOptions) (checkpoint.Opened, error) {
	journal, err := checkpoint.Open(o.WorkDir, o.Strict)
	var damage *checkpoint.DamageError
	switch {
	case errors.As(err, &damage):
		return journal, fmt.Errorf("--work_dir=%q: %w; put a copy of the file in its place, or start with --no-strict "+
			"to leave out what cannot be read, with the tasks that it tells of, or remove %s to begin as a new agent",
			o.WorkDir, err, filepath.Dir(damage.Path))
	case err != nil:
		return journal, fmt.Errorf("--work_dir=%q: %w", o.WorkDir, err)
	}
	for _, d := range journal.Damage {
		o.Logging.Logger.Error("a part of the journal cannot be read, and was left out: tasks may be lost",
			zap.Error(d), zap.String("kept", d.Path+".damaged"))
	}
	if journal.Torn > 0 {
		o.Logging.Logger.Info("the journal ended in an append that was never answered; it was cut off", zap.Int64("bytes", journal.Torn))
	}
	return journal, nil
}

func (a *Agent) serve(o slave.Options) error {
	service, err := slave.Start(a.System, o)
	if err != nil {
		_, err = a.abandon(err)
		return err
	}
	a.service = service
	a.System.Ready() // with all that the journal tells of
	a.background(service.Done(), func() {
		reason, err := service.End()
		if err == nil {
			err = fmt.Errorf("%w: %s", ErrOrdered, reason)
		}
		a.fail(err)
	})
	return nil
}

// Shutdown ends every task, and then the agent, for good.
func (a *Agent) Shutdown(ctx context.Context, reason string) error {
	err := a.service.Shutdown(ctx, reason)
	return errors.Join(err, a.hosts.wait(ctx), a.Close())
}

// Retire ends every task and then the agent, whose Run ends: without an error if
// nothing of them is left. It returns at once.
func (a *Agent) Retire() { a.service.Leave("SIGUSR1") }

// agentInfo is what the agent says of itself.
func agentInfo(at string, o AgentOptions) (*mesos.AgentInfo, error) {
	_, text, err := net.SplitHostPort(at)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, err
	}
	machine, err := detect.Measure(o.WorkDir)
	if err != nil {
		return nil, err
	}
	if machine.GPUs, err = o.Isolation.Count(); err != nil {
		return nil, err
	}
	offered, err := detect.Resources(o.Resources, o.DefaultRole, machine, detect.DisksOf(o.WorkDir))
	if err != nil {
		return nil, fmt.Errorf("--resources=%q: %w", o.Resources, err)
	}
	attributes, err := resources.ParseAttributes(o.Attributes)
	if err != nil {
		return nil, fmt.Errorf("--attributes=%q: %w", o.Attributes, err)
	}
	return &mesos.AgentInfo{
		Hostname: proto.String(o.Network.Hostname), Port: proto.Int32(int32(port)),
		Resources: offered.Proto(), Attributes: attributes, Domain: o.Domain,
	}, nil
}
