package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"troupe/actors"
	"troupe/frameworks/service"
	"troupe/frameworks/service/api"
	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/discovery"
	"troupe/frameworks/service/discovery/dns"
	"troupe/frameworks/service/discovery/haproxy"
	"troupe/frameworks/service/page"
	"troupe/frameworks/service/probe"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// ServiceOptions are the settings of the service framework.
type ServiceOptions struct {
	FrameworkOptions
	// State is what the operator decided; its Salt is made here.
	State state.Options
	// Network of apps on a container network that they do not name; "" is none.
	DefaultNetwork string
	// Origins are the other sites whose pages may use the API; nil: none.
	Origins *api.Origins
	// Checks bounds how many checks of instances are under way at once; 0 is what
	// package probe has.
	Checks int
	// DNS is where queries about apps are answered while this process leads; nil:
	// nowhere.
	DNS *dns.Options
	// Proxy is an HAProxy that follows the apps while this process leads; nil: there
	// is none. With it tasks are ended when nothing is on its way to them any more,
	// or Drain is over.
	Proxy *haproxy.Options
	Drain time.Duration
	// Version is that of this program.
	Version string
}

// keepPatience bounds how long the list of callbacks may take to be written.
const keepPatience = 10 * time.Second

// StartService starts a process of the service framework; see StartFramework.
func StartService(ctx context.Context, o ServiceOptions) (*Daemon, error) {
	metrics := service.NewMetrics()
	o.Owner, o.Via = "service", "X-Marathon-Via"
	o.Collectors = append(o.Collectors, metrics)
	if o.State.Rules.GPUs { // without it the master offers no machine that has some
		o.Framework.Capabilities = append(slices.Clone(o.Framework.Capabilities), mesos.FrameworkInfo_Capability_GPU_RESOURCES)
	}
	return StartFramework(ctx, o.FrameworkOptions, func(ctx context.Context, l Lead) (Leading, error) {
		return o.lead(ctx, l, metrics)
	})
}

// leadingService is the service framework in the process that leads.
type leadingService struct {
	http.Handler
	service *service.Service
	system  *actors.System
	probes  *probe.Instances
	bus     *events.Bus
	// directory has where instances are reached; names answers over DNS, and proxy
	// balances load; both may be nil.
	directory *discovery.Directory
	names     *dns.Server
	proxy     *haproxy.Keeper
	loaded    chan struct{} // closed when all that was stored is shown
}

// Loaded is closed when requests can be answered.
func (s *leadingService) Loaded() <-chan struct{} { return s.loaded }

// Run implements Leading.
func (s *leadingService) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		if err := s.service.Settled(ctx); err != nil {
			return // it ends before it has begun
		}
		close(s.loaded)
		for what, run := range s.beside() {
			beside.Go(func() {
				if err := run(ctx); err != nil {
					cancel(fmt.Errorf("%s: %w", what, err))
				}
			})
		}
	})
	err := s.service.Run(ctx, s.system)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	cancel(nil)
	beside.Wait()
	return errors.Join(err, s.close())
}

// beside is what runs while the framework does, once it knows what there is: an
// HAProxy of an earlier life must not be told that there is nothing.
func (s *leadingService) beside() map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{}
	if s.names != nil {
		all["DNS"] = s.names.Run
	}
	if s.proxy != nil {
		all["HAProxy"] = s.proxy.Run
	}
	return all
}

// close ends what goes on beside the framework.
func (s *leadingService) close() error {
	if s.bus != nil {
		s.bus.Close()
	}
	if s.probes != nil {
		s.probes.Close()
	}
	s.directory.Close()
	select {
	case <-s.loaded: // who answers DNS has run, and ended
		return nil
	default:
	}
	if s.names != nil {
		return s.names.Close()
	}
	return nil
}

func (o ServiceOptions) lead(ctx context.Context, l Lead, metrics *service.Metrics) (Leading, error) {
	shown := board.New()
	s := &leadingService{system: l.System, directory: discovery.New(shown), loaded: make(chan struct{})}
	var face *api.Server
	o.State.Salt = uuid.New()
	options := service.Options{
		Framework: l.Framework, Store: l.Store, Machine: state.New(o.State), Board: shown, Metrics: metrics, QuietFor: o.Drain,
		Events: func(e state.Event) { face.Publish(e) },
		Prober: func(report func(state.Input)) service.Prober {
			s.probes = probe.NewInstances(probe.Options{AtOnce: o.Checks}, report)
			return s.probes
		},
	}
	if err := o.discover(s); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.proxy != nil {
		options.Quiet = s.proxy.Quiet
	}
	var err error
	if s.service, err = service.New(ctx, options); err == nil {
		s.bus, err = o.newBus(s.service)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	face = o.newFace(l, s, shown, metrics)
	s.Handler = &serviceRoutes{face: face, endpoints: s.directory.Handler(), files: o.sandboxes(s.service, shown)}
	return s, nil
}

// discover makes what tells others of the directory.
func (o ServiceOptions) discover(s *leadingService) error {
	var err error
	if o.Proxy != nil {
		proxy := *o.Proxy
		proxy.Logger = o.Logging.Logger.Named("haproxy")
		if s.proxy, err = haproxy.New(s.directory, proxy); err != nil {
			return fmt.Errorf("--haproxy_config: %w", err)
		}
	}
	if o.DNS != nil {
		if s.names, err = dns.New(s.directory, *o.DNS); err != nil {
			return fmt.Errorf("--dns_port: %w", err)
		}
	}
	return nil
}

// newFace makes Marathon's API.
func (o ServiceOptions) newFace(l Lead, s *leadingService, shown *board.Board, metrics *service.Metrics) *api.Server {
	a := api.Options{
		Core: s.service, Board: shown, Events: s.bus, Page: page.Handler(), Logging: o.Logging.Level, Origins: o.Origins,
		Apps:    wire.Options{Rules: o.State.Rules, Network: o.DefaultNetwork},
		Info:    func() wire.Info { return o.info(l, s.service.Status()) },
		Numbers: func() ([]api.Number, error) { return numbers(metrics) },
	}
	if l.Abdicate != nil {
		a.Leadership = leadership{l}
	}
	return api.New(a)
}

// newBus makes the bus of events, with the callbacks of earlier lives.
func (o ServiceOptions) newBus(s *service.Service) (*events.Bus, error) {
	var callbacks []string
	if kept := s.Kept(); kept != nil {
		if err := json.Unmarshal(kept, &callbacks); err != nil {
			return nil, err
		}
	}
	bus := events.New(events.Options{Log: o.Logging.Logger, Keep: func(urls []string) error {
		text, err := json.Marshal(urls)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), keepPatience)
		defer cancel()
		return s.Keep(ctx, text)
	}})
	bus.Restore(callbacks)
	return bus, nil
}

// leadership is who leads, for clients.
type leadership struct{ Lead }

// Leader is the host:port of who leads.
func (l leadership) Leader() string {
	text, _ := l.Lead.Leader()
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}

// Abdicate ends this process soon.
func (l leadership) Abdicate() error {
	l.Lead.Abdicate()
	return nil
}

// info is what clients are told of the framework.
func (o ServiceOptions) info(l Lead, s service.Status) wire.Info {
	_, self := l.Leader()
	f := o.Framework
	info := wire.Info{
		Name: f.Name, Version: o.Version, Elected: self, FrameworkID: s.Framework,
		Config: wire.Config{
			Master: f.Master, FailoverTimeout: int64(f.FailoverTimeout.Seconds()), FrameworkName: f.Name, HA: o.ZooKeeper.Place != nil,
			Checkpoint: !f.Forgettable, LocalPortMin: o.State.FirstPort, LocalPortMax: o.State.LastPort, Executor: "//cmd",
			Hostname: o.Network.Hostname, WebUI: l.URL, Role: o.State.Rules.Role, User: f.User, DefaultNetwork: o.DefaultNetwork,
			EnvPrefix: o.State.Placement.EnvPrefix, LaunchTimeout: o.State.LaunchTimeout.Milliseconds(),
			InstancesInOffer: o.State.PerOffer, Features: o.features(),
		},
	}
	if _, text, err := net.SplitHostPort(l.System.Address()); err == nil {
		if port, err := strconv.Atoi(text); err == nil && o.Network.TLS != nil {
			info.HTTP.HTTPSPort = port
		} else if err == nil {
			info.HTTP.HTTPPort = port
		}
	}
	return info
}

func (o ServiceOptions) features() []string {
	list := []string{}
	for _, f := range []struct {
		name string
		on   bool
	}{{"external_volumes", o.State.Rules.External}, {"gpu_resources", o.State.Rules.GPUs}, {"secrets", o.State.Rules.Secrets}} {
		if f.on {
			list = append(list, f.name)
		}
	}
	return list
}
