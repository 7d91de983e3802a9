package files

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// Bounds of what a client can cost.
const (
	// headerWait is how long the head of a request may take.
	headerWait = 10 * time.Second
	// pieceWait is how long a client may take for one piece of an answer.
	pieceWait = time.Minute
	// idleWait is how long a connection may be without a request.
	idleWait = 2 * time.Minute
	// maxHeader is the longest head, in bytes.
	maxHeader = 16 << 10
)

// Options say where a server is. The zero Options listen on any port of every
// address.
type Options struct {
	// Listen is a host:port; ":0" when empty.
	Listen string
	// Host is the name or address by which agents reach this machine. Empty: what
	// Listen names, or the machine's own name if that is every address.
	Host string
	// TLS makes it HTTPS, unless it is nil.
	TLS *tls.Config
}

// Server serves files. Its methods are safe for concurrent use.
type Server struct {
	base   url.URL
	http   *http.Server
	served chan error

	mu    sync.Mutex
	items map[string]*item // by their paths
	over  bool
}

// item is what one URL stands for.
type item struct {
	name string
	// file is where it is, unless content is not nil.
	file    string
	content []byte
	// ours: the file was made here, and goes with the item.
	ours bool
	// at is when content was given.
	at time.Time
}

// Start begins to serve, nothing at first. An error names the field.
func Start(o Options) (*Server, error) {
	listener, err := net.Listen("tcp", cmp.Or(o.Listen, ":0"))
	if err != nil {
		return nil, fmt.Errorf("files: listen: %w", err)
	}
	s := &Server{base: url.URL{Scheme: "http"}, served: make(chan error, 1), items: map[string]*item{}}
	if s.base.Host, err = advertised(o.Host, listener.Addr()); err != nil {
		return nil, errors.Join(fmt.Errorf("files: host: %w", err), listener.Close())
	}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: headerWait, ReadTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(silence{}, "", 0),
	}
	if o.TLS != nil {
		s.base.Scheme = "https"
		listener = tls.NewListener(listener, o.TLS)
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// silence is for what net/http says of clients that break off.
type silence struct{}

func (silence) Write(p []byte) (int, error) { return len(p), nil }

// advertised is the host:port of URLs.
func advertised(host string, at net.Addr) (string, error) {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return "", fmt.Errorf("%s is no address of TCP", at)
	}
	switch {
	case strings.ContainsAny(host, "/@?# \t\n"):
		return "", fmt.Errorf("%q: is no name and no address", host)
	case host != "":
	case !tcp.IP.IsUnspecified():
		host = tcp.IP.String()
	default:
		name, err := os.Hostname()
		if err != nil {
			return "", err
		}
		host = name
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), fmt.Sprint(tcp.Port)), nil
}

// Address is where agents reach the server, host:port.
func (s *Server) Address() string { return s.base.Host }

// File serves a file that is there now, as it is whenever it is asked for. name is
// what the URL ends with, and what the file is called in a sandbox.
func (s *Server) File(name, file string) (Served, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return Served{}, fmt.Errorf("serve %q: %w", name, err)
	case !info.Mode().IsRegular():
		return Served{}, fmt.Errorf("serve %q: %s is no file", name, file)
	}
	return s.add(&item{name: name, file: file})
}

// Bytes serves content, which must not be changed afterwards.
func (s *Server) Bytes(name string, content []byte) (Served, error) {
	if content == nil {
		content = []byte{}
	}
	return s.add(&item{name: name, content: content, at: time.Now()})
}

// Folder serves what a folder holds now, packed as name.tar.gz. Links are packed as
// links; what is neither file, folder nor link is an error.
func (s *Server) Folder(name, folder string) (Served, error) {
	archive, err := pack(folder)
	if err != nil {
		return Served{}, fmt.Errorf("serve %q: %w", name, err)
	}
	served, err := s.add(&item{name: name + ".tar.gz", file: archive, ours: true})
	if err != nil {
		return Served{}, errors.Join(err, os.Remove(archive))
	}
	return served, nil
}

// add gives an item a path that nobody can guess.
func (s *Server) add(i *item) (Served, error) {
	if err := checkName(i.name); err != nil {
		return Served{}, fmt.Errorf("serve %q: %w", i.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return Served{}, fmt.Errorf("serve %q: %w", i.name, http.ErrServerClosed)
	}
	at := s.base
	at.Path = "/" + rand.Text() + "/" + i.name
	s.items[at.Path] = i
	return Served{URL: at.String(), Name: i.name}, nil
}

// checkName is an error for what is not the name of a file in a sandbox.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return errors.New("name is none of a file")
	case len(name) > 255:
		return fmt.Errorf("name is longer than 255 bytes, %d", len(name))
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || r < ' ' || r == 0x7f }):
		return errors.New("name has a slash or a control character")
	}
	return nil
}

// Remove ends the serving of what was served. Who fetches it now gets the rest.
func (s *Server) Remove(what Served) error {
	u, err := url.Parse(what.URL)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.items[u.Path]
	delete(s.items, u.Path)
	return i.discard()
}

func (i *item) discard() error {
	if i == nil || !i.ours {
		return nil
	}
	return os.Remove(i.file)
}

// Close ends the server: who fetches has until ctx is done.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.over = true
	items := s.items
	s.items = nil
	s.mu.Unlock()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("files: %w", err), s.http.Close())
	}
	for _, i := range items {
		err = errors.Join(err, i.discard())
	}
	if e := <-s.served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// ServeHTTP implements http.Handler, for a server of one's own that answers at the
// same paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method "+r.Method+": expecting GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	s.mu.Lock()
	i := s.items[path.Clean(r.URL.Path)]
	s.mu.Unlock()
	if i == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	i.serve(patient{w, http.NewResponseController(w)}, r)
}
