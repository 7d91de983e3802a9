package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/address"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var testAuthority = sync.OnceValues(func() (*authority, error) { return newAuthority() })

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key}, err
}

func (a *authority) issue(name string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// by gives the two sides' configurations with a certificate by this authority.
func (a *authority) by(t *testing.T, name string) TLS {
	t.Helper()
	cert, err := a.issue(name)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return TLS{
		Server: &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool},
		Client: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool},
	}
}

func testTLS(t *testing.T, name string) TLS {
	t.Helper()
	a, err := testAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a.by(t, name)
}

func withPrincipal() *recorder {
	r := newRecorder()
	r.hook = func(from, to address.PID, principal string, m proto.Message) {
		r.note("deliver %s>%s %s %q", from.Name, to.Name, text(m), principal)
	}
	return r
}

func TestTLSCertificateIsThePrincipal(t *testing.T) {
	a := start(t, Config{TLS: testTLS(t, "alice"), Receiver: withPrincipal()})
	b := start(t, Config{TLS: testTLS(t, "bob"), Receiver: withPrincipal(), HTTP: http.NotFoundHandler()})
	a.say("x", b.at("y"), strings.Repeat("long ", 100_000))
	b.waitFor(t, `deliver x>y long long long long long long long long  "alice"`, 1)
	b.say("y", a.at("x"), "pong")
	a.waitFor(t, `deliver y>x pong "bob"`, 1)
	if n := a.Totals().Connections + b.Totals().Connections; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if p := b.Peers()[0].Principal; p != "alice" {
		t.Errorf("principal %q", p)
	}
	a.close()
	if n := a.count("dead"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func TestTLSKeepsStrangersOut(t *testing.T) {
	b := start(t, Config{TLS: testTLS(t, "bob"), HTTP: http.NotFoundHandler()})
	other, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	forged := other.by(t, "alice")
	forged.Client.RootCAs = testTLS(t, "alice").Client.RootCAs
	anonymous := testTLS(t, "alice")
	anonymous.Client.Certificates = nil
	for name, c := range map[string]Config{
		"plain":              {},
		"other authority":    {TLS: other.by(t, "alice")},
		"forged certificate": {TLS: forged},
		"no certificate":     {TLS: anonymous},
	} {
		a := start(t, c)
		a.link("x", b.at("y"))
		a.say("x", b.at("y"), name)
		a.waitFor(t, "dead x>y unreachable", 1)
		a.waitFor(t, "exited x>y unreachable", 1)
	}
	if lines := b.told(); len(lines) != 0 || b.Totals().Linked != 0 {
		t.Errorf("told %q", lines)
	}
}

func TestHTTPOnTheSamePort(t *testing.T) {
	for name, secure := range map[string]TLS{"plain": {}, "TLS": testTLS(t, "server")} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			mux := http.NewServeMux()
			mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello %t", r.TLS != nil) })
			mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, "first ")
				_ = http.NewResponseController(w).Flush() // the client reads it below
				select {
				case <-release:
					fmt.Fprint(w, "last")
				case <-r.Context().Done():
				}
			})
			s := start(t, Config{HTTP: mux, TLS: secure})
			other := start(t, Config{TLS: secure})
			other.say("x", s.at("y"), "link")
			s.waitFor(t, "deliver x>y link", 1)
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: webClient(secure)}}
			defer client.CloseIdleConnections()
			base := "http://" + s.cfg.Address
			if secure.Server != nil {
				base = "https://" + s.cfg.Address
			}
			for range 3 {
				if got := get(t, client, base+"/hello"); got != fmt.Sprintf("hello %t", secure.Server != nil) {
					t.Errorf("answer %q", got)
				}
			}
			resp, err := client.Get(base + "/stream")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			part := make([]byte, 6)
			if _, err := io.ReadFull(resp.Body, part); err != nil {
				t.Fatal(err)
			}
			close(release)
			if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "last" {
				t.Errorf("rest %q, %v", rest, err)
			}
			stream, err := client.Get(base + "/stream")
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Body.Close()
			s.close()
		})
	}
}

// webClient is an HTTP client's configuration, which needs no certificate.
func webClient(s TLS) *tls.Config {
	if s.Client == nil {
		return nil
	}
	return &tls.Config{RootCAs: s.Client.RootCAs}
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// password is an Authenticator of two rounds: each side says its name, then a
// word that is the other's name and the secret.
type password struct {
	name, secret string
}

type passwordExchange struct {
	password
	peer  string
	round int
}

func (p password) Begin(Peer) Exchange { return &passwordExchange{password: p} }

func (e *passwordExchange) Next(in []byte) ([]byte, bool, error) {
	e.round++
	switch {
	case in == nil:
		return []byte(e.name), false, nil
	case e.peer == "":
		e.peer = string(in)
		if e.round == 1 { // the acceptor says its name first
			return []byte(e.name), false, nil
		}
		return []byte(e.peer + e.secret), false, nil
	case string(in) != e.name+e.secret:
		return nil, false, fmt.Errorf("wrong word from %q", e.peer)
	}
	return []byte(e.peer + e.secret), true, nil
}

func (e *passwordExchange) Principal() string { return e.peer }

func TestAuthenticatorInRounds(t *testing.T) {
	b := start(t, Config{Authenticator: password{"bob", "sesame"}, Receiver: withPrincipal()})
	a := start(t, Config{Authenticator: password{"alice", "sesame"}, Receiver: withPrincipal()})
	a.say("x", b.at("y"), "ping")
	b.waitFor(t, `deliver x>y ping "alice"`, 1)
	b.say("y", a.at("x"), "pong")
	a.waitFor(t, `deliver y>x pong "bob"`, 1)

	for _, auth := range []Authenticator{password{"mallory", "guess"}, nil, endless{}} {
		m := start(t, Config{Authenticator: auth})
		m.say("x", b.at("y"), "let me in")
		m.waitFor(t, "dead x>y unreachable: refused by the peer: authentication", 1)
	}
	if n := b.count("deliver"); n != 1 {
		t.Errorf("%d delivered, want 1", n)
	}
}

// endless is never satisfied.
type endless struct{}

func (endless) Begin(Peer) Exchange                  { return endless{} }
func (endless) Next(in []byte) ([]byte, bool, error) { return append(in, 'x'), false, nil }
func (endless) Principal() string                    { return "" }

// TestEndlessAuthenticationEnds also with a peer as patient as this one.
func TestEndlessAuthenticationEnds(t *testing.T) {
	a, b := start(t, Config{Authenticator: endless{}}), start(t, Config{Authenticator: endless{}})
	a.say("x", b.at("y"), "let me in")
	a.waitFor(t, "dead x>y unreachable: ", 1)
}

// rules is a Policy for tests.
type rules struct{}

func (rules) Admit(principal string, p Peer) error {
	if principal == "eve" {
		return fmt.Errorf("%s at %s is on the list", principal, p.Address)
	}
	return nil
}

func (rules) Allow(principal string, from, to address.PID, typ protoreflect.FullName) error {
	if to.Name == "secret" {
		return fmt.Errorf("%s may not send %s", principal, typ)
	}
	return nil
}

func TestPolicy(t *testing.T) {
	b := start(t, Config{TLS: testTLS(t, "bob"), Policy: rules{}})
	a, eve := start(t, Config{TLS: testTLS(t, "alice")}), start(t, Config{TLS: testTLS(t, "eve")})
	a.say("x", b.at("secret"), "spy")
	a.say("x", b.at("y"), "fine")
	b.waitFor(t, "deliver x>y fine", 1)
	b.waitFor(t, `rejected x>secret google.protobuf.StringValue "alice" alice may not send google.protobuf.StringValue`, 1)
	eve.say("x", b.at("y"), "hello")
	eve.waitFor(t, "dead x>y unreachable: refused by the peer: not admitted: eve at ", 1)
	if n := b.count("deliver"); n != 1 {
		t.Errorf("%d delivered, want 1", n)
	}
}
