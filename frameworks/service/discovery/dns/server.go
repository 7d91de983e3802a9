package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// DefaultDomain is the zone that is answered for.
const DefaultDomain = "service.troupe"

// DefaultTTL is how long answers may be remembered.
const DefaultTTL = 5 * time.Second

// Options of a server.
type Options struct {
	// Listen is the address for UDP and TCP; port 0 is any.
	Listen string
	// Domain is the zone; "" is DefaultDomain.
	Domain string
	// TTL is rounded to seconds; 0 is DefaultTTL, negative is none at all.
	TTL time.Duration
	// Answered, if not nil, is told of each answer, for metrics: "SRV" and
	// "NOERROR". It is called from several goroutines at once.
	Answered func(kind, code string)
}

// Server answers queries from the moment it is made.
type Server struct {
	zone     *zone
	stop     func()
	apex     string // with a dot at the end
	ttl      uint32
	answered func(kind, code string)
	udp      *dns.Server
	tcp      *dns.Server
}

const (
	// maxConnections over TCP at a time; more wait until one has ended.
	maxConnections = 256
	// patience with a client that has connected and says nothing.
	patience = 5 * time.Second
	// maxQueries on one connection.
	maxQueries = 1000
)

// New listens. The error names the option that is wrong, or the address that cannot
// be had. Run must be called, or Close.
func New(d Directory, o Options) (*Server, error) {
	if o.Domain == "" {
		o.Domain = DefaultDomain
	}
	apex := strings.ToLower(dns.Fqdn(o.Domain))
	if labels, ok := dns.IsDomainName(apex); !ok || labels == 0 || len(apex) > 64 {
		return nil, fmt.Errorf("domain %q is not the name of one, with 64 bytes at most", o.Domain)
	}
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	s := &Server{apex: apex, ttl: uint32(min(max(0, o.TTL.Round(time.Second)/time.Second), 1<<31-1)), answered: o.Answered}
	if s.answered == nil {
		s.answered = func(string, string) {}
	}
	packets, streams, err := listen(o.Listen)
	if err != nil {
		return nil, err
	}
	handle := dns.HandlerFunc(s.serve)
	s.udp = &dns.Server{PacketConn: packets, Handler: handle, UDPSize: dns.MaxMsgSize}
	s.tcp = &dns.Server{
		Listener: &limited{streams, make(chan struct{}, maxConnections)}, Handler: handle, ReadTimeout: patience, WriteTimeout: patience,
		IdleTimeout: func() time.Duration { return patience }, MaxTCPQueries: maxQueries,
	}
	s.zone, s.stop = newZone(d)
	return s, nil
}

// listen finds one port for both.
func listen(address string) (net.PacketConn, net.Listener, error) {
	const tries = 10 // when any port will do, one that is free for UDP may not be for TCP
	for try := 1; ; try++ {
		packets, err := net.ListenPacket("udp", address)
		if err != nil {
			return nil, nil, fmt.Errorf("dns: listen: %w", err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams, nil
		}
		err = errors.Join(err, packets.Close())
		if !strings.HasSuffix(address, ":0") || try == tries {
			return nil, nil, fmt.Errorf("dns: listen: %w", err)
		}
	}
}

// Addr is where it listens, on UDP and TCP.
func (s *Server) Addr() net.Addr { return s.udp.PacketConn.LocalAddr() }

// Run answers until ctx is done, when it returns nil, or until listening fails.
func (s *Server) Run(ctx context.Context) error {
	defer s.stop()
	ended := make(chan error, 2)
	started := make(chan struct{}, 2)
	for _, one := range []*dns.Server{s.udp, s.tcp} {
		one.NotifyStartedFunc = func() { started <- struct{}{} }
		go func() { ended <- one.ActivateAndServe() }()
	}
	running := 2
	var err error
	for range 2 {
		select {
		case <-started:
		case err = <-ended:
			running--
		}
	}
	if err == nil && running == 2 {
		select {
		case <-ctx.Done():
		case err = <-ended:
			running--
		}
	}
	if ctx.Err() != nil {
		err = nil
	}
	err = errors.Join(err, s.shutDown())
	for range running {
		<-ended
	}
	return err
}

// shutDown closes what is open still. A server that never started leaves its
// listener to its maker.
func (s *Server) shutDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all []error
	for _, one := range []*dns.Server{s.udp, s.tcp} {
		if err := one.ShutdownContext(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			all = append(all, s.closeOne(one))
		}
	}
	return errors.Join(all...)
}

func (s *Server) closeOne(one *dns.Server) error {
	var err error
	if one.PacketConn != nil {
		err = one.PacketConn.Close()
	} else {
		err = one.Listener.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Close ends a server that was never run.
func (s *Server) Close() error {
	s.stop()
	return errors.Join(s.closeOne(s.udp), s.closeOne(s.tcp))
}

func (s *Server) serve(w dns.ResponseWriter, q *dns.Msg) {
	_, udp := w.RemoteAddr().(*net.UDPAddr)
	r := s.answer(q, udp)
	kind := "none"
	if len(q.Question) == 1 {
		kind = dns.TypeToString[q.Question[0].Qtype]
		if kind == "" {
			kind = "other"
		}
	}
	s.answered(kind, dns.RcodeToString[r.Rcode])
	if err := w.WriteMsg(r); err != nil && !udp {
		_ = w.Close() // the client is gone, and so is what could tell it
	}
}

// limited is a listener with so many connections at a time.
type limited struct {
	net.Listener
	places chan struct{}
}

// Accept waits for a place.
func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, places: l.places, left: make(chan struct{}, 1)}, nil
}

// placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn
	places chan struct{}
	left   chan struct{}
}

// Close may be called again.
func (p *placed) Close() error {
	select {
	case p.left <- struct{}{}:
		<-p.places
	default:
	}
	return p.Conn.Close()
}
