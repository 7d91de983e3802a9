package actors

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.cert, a.key = a.sign("authority", nil)
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a certificate; by itself when there is no parent.
func (a *authority) sign(name string, parent *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: parent == nil,
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// config proves to be name and trusts this authority.
func (a *authority) config(name string) *tls.Config {
	a.t.Helper()
	cert, key := a.sign(name, a.cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		RootCAs:      a.pool, ClientCAs: a.pool, MinVersion: tls.VersionTLS13,
	}
}

func TestEveryMessageCarriesThePrincipalOfItsConnection(t *testing.T) {
	ca := newAuthority(t)
	server := newSystem(t, Options{Listen: "127.0.0.1:0", TLS: ca.config("master")})
	p := spawn(t, server, "who", func(c *Context) {
		Handle(c, func(c *Context, _ *emptypb.Empty) { c.Reply(text(c.Principal())) })
	})
	got := make(chan string, 10)
	for _, name := range []string{"agent-17", "agent-18"} {
		peer := newSystem(t, Options{TLS: ca.config(name)})
		for range 3 {
			m, err := peer.Ask(t.Context(), p, &emptypb.Empty{})
			if err != nil || m.(*wrapperspb.StringValue).Value != name {
				t.Errorf("%s is taken for %v, %v", name, m, err)
			}
		}
		spawn(t, peer, "asker", func(c *Context) {
			Handle(c, func(c *Context, m *wrapperspb.StringValue) { got <- m.Value + " by " + c.Principal() })
			c.Send(p, &emptypb.Empty{})
		})
		if answer := receive(t, got); answer != name+" by master" {
			t.Errorf("got %q", answer)
		}
	}
	if m, err := server.Ask(t.Context(), p, &emptypb.Empty{}); err != nil || m.(*wrapperspb.StringValue).Value != "" {
		t.Errorf("a local message has the principal %v, %v", m, err)
	}
}

// Whom an actor speaks for is seen in its own system, and nowhere else.
func TestSpeakingForSomebody(t *testing.T) {
	home := newSystem(t, Options{Listen: "127.0.0.1:0"})
	abroad := newSystem(t, Options{Listen: "127.0.0.1:0"})
	who := func(c *Context) {
		Handle(c, func(c *Context, _ *emptypb.Empty) { c.Reply(text(c.Principal())) })
	}
	got := make(chan string, 10)
	for _, c := range []struct {
		to   PID
		want string
	}{{spawn(t, home, "who", who), "alice"}, {spawn(t, abroad, "who", who), ""}} {
		ctx := AskedFor(t.Context(), "alice")
		if m, err := home.Ask(ctx, c.to, &emptypb.Empty{}); err != nil || m.(*wrapperspb.StringValue).Value != c.want {
			t.Errorf("asked for alice, %s sees %v, %v; want %q", c.to, m, err, c.want)
		}
		speaker := func(c *Context) {
			Handle(c, func(_ *Context, m *wrapperspb.StringValue) { got <- m.Value })
		}
		pid, err := home.Spawn("", actorFunc(speaker), SpeakingFor("alice"))
		if err != nil {
			t.Fatal(err)
		}
		home.Do(pid, func(actor *Context) { actor.Send(c.to, &emptypb.Empty{}) })
		if name := receive(t, got); name != c.want {
			t.Errorf("%s hears %q, want %q", c.to, name, c.want)
		}
	}
}

// Every route is behind the guard, and knows its pattern.
func TestGuardOfRoutes(t *testing.T) {
	s := newSystem(t, Options{Listen: "127.0.0.1:0", Guard: func(pattern string, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				http.Error(w, "who asks for "+pattern+"?", http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	}})
	s.Route("/secret/", "", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for header, want := range map[string]int{"": http.StatusUnauthorized, "me": http.StatusTeapot} {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.Address()+"/secret/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != want {
			t.Errorf("%q: %d %s, %v; want %d", header, response.StatusCode, body, err, want)
		}
		if header == "" && string(body) != "who asks for /secret/?\n" {
			t.Errorf("the guard says %q", body)
		}
	}
}

func TestStrangersAreKeptOut(t *testing.T) {
	ca := newAuthority(t)
	server := newSystem(t, Options{Listen: "127.0.0.1:0", TLS: ca.config("master")})
	p := spawn(t, server, "p", func(c *Context) {
		Handle(c, func(*Context, *emptypb.Empty) { t.Error("a stranger's message arrived") })
	})
	for what, config := range map[string]*tls.Config{
		"of another authority": newAuthority(t).config("agent-17"),
		"without certificate":  {RootCAs: ca.pool},
		"without TLS":          nil,
	} {
		peer := newSystem(t, Options{TLS: config})
		if _, err := peer.Ask(t.Context(), p, &emptypb.Empty{}); !errors.Is(err, ErrUndelivered) {
			t.Errorf("a peer %s: %v, want ErrUndelivered", what, err)
		}
	}
	settle(t, server, p)
}

// byPrincipal lets principals send one type each, and keeps one out.
type byPrincipal map[string]protoreflect.FullName

func (p byPrincipal) Admit(principal string, _ Peer) error {
	if _, known := p[principal]; !known {
		return fmt.Errorf("%s is not welcome", principal)
	}
	return nil
}

func (p byPrincipal) Allow(principal string, _, to PID, typ protoreflect.FullName) error {
	if p[principal] != typ {
		return fmt.Errorf("%s may not send %s to %s", principal, typ, to.Name)
	}
	return nil
}

func TestPolicyRefuses(t *testing.T) {
	ca := newAuthority(t)
	server := newSystem(t, Options{
		Listen: "127.0.0.1:0", TLS: ca.config("master"),
		Policy: byPrincipal{"agent-17": "google.protobuf.StringValue"},
	})
	p := spawn(t, server, "p", func(c *Context) {
		answerText(c)
		Handle(c, func(*Context, *emptypb.Empty) { t.Error("a message arrived that the policy forbids") })
	})
	peer := newSystem(t, Options{TLS: ca.config("agent-17")})
	for range 3 {
		peer.Send(p, &emptypb.Empty{})
	}
	if _, err := peer.Ask(t.Context(), p, text("allowed")); err != nil {
		t.Errorf("what is allowed, behind what is not: %v", err)
	}
	l := server.Unhandled()
	if len(l) != 1 || l[0].Type != "google.protobuf.Empty" || l[0].Count != 3 || l[0].From.Address != peer.Address() ||
		!strings.Contains(l[0].Reason, "agent-17 may not send google.protobuf.Empty to p") {
		t.Errorf("unhandled %+v", l)
	}
	other := newSystem(t, Options{TLS: ca.config("agent-18")})
	if _, err := other.Ask(t.Context(), p, text("x")); !errors.Is(err, ErrUndelivered) {
		t.Errorf("a peer that is not admitted: %v", err)
	}
}

// stranger is a message of a type that only its sender knows.
func stranger(t *testing.T) proto.Message {
	t.Helper()
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("stranger.proto"), Package: proto.String("stranger"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Message")}},
	}, new(protoregistry.Files))
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(file.Messages().Get(0))
}

func TestUnknownTypesAreCountedAndHarmless(t *testing.T) {
	a, b := listening(t), listening(t)
	p := spawn(t, b, "echo", answerText)
	sender := spawn(t, a, "newer", func(c *Context) {
		for range 5 {
			c.Send(p, stranger(t))
			c.Send(p, &emptypb.Empty{}) // known, but p has no handler for it
		}
	})
	settle(t, a, sender)
	if _, err := a.Ask(t.Context(), p, text("still there?")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	// The question came from another actor, so it may be earlier than the rest.
	until(t, "both are counted", func() bool {
		l := b.Unhandled()
		return len(l) == 2 && l[0].Count == 5 && l[1].Count == 5
	})
	l := b.Unhandled()
	if l[1].Type != "stranger.Message" || l[1].From != sender || !strings.Contains(l[1].Reason, "unknown") ||
		l[0].Type != "google.protobuf.Empty" || l[0].From != sender || l[0].Reason != "no handler" {
		t.Errorf("unhandled %+v", l)
	}
}

// forger is a transport that claims senders as it likes.
func forger(t *testing.T) (*System, Transport) {
	t.Helper()
	s := newSystem(t, Options{})
	return s, s.transport
}

func TestSendersCannotBeForged(t *testing.T) {
	server, victim := listening(t), listening(t)
	senders := make(chan PID, 1)
	p := spawn(t, server, "p", func(c *Context) {
		Handle(c, func(c *Context, _ *emptypb.Empty) { senders <- c.Sender() })
	})
	evil, wire := forger(t)
	if err := wire.Send(victim.PID("master"), p, &emptypb.Empty{}); err == nil {
		t.Error("a sender of another system is accepted")
	}
	if err := wire.Send(PID{Name: "master", Address: evil.Address(), Incarnation: victim.Incarnation()}, p, &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if from := receive(t, senders); from != evil.PID("master") {
		t.Errorf("sender %s, want one of %s", from, evil.Address())
	}
}

// An answer counts only from the system that was asked, whatever keys others
// guess.
func TestAnswersCannotBeForged(t *testing.T) {
	a, b := listening(t), listening(t)
	mute := spawn(t, b, "mute", func(c *Context) { Handle(c, func(*Context, *emptypb.Empty) {}) })
	_, wire := forger(t)
	asker := spawn(t, a, "asker", func(c *Context) {
		c.Ask(mute, &emptypb.Empty{}, time.Minute, func(m proto.Message, err error) {
			if m != nil {
				t.Errorf("a forged answer was taken: %v, %v", m, err)
			}
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	outside := make(chan error, 1)
	go func() {
		_, err := a.Ask(ctx, mute, &emptypb.Empty{})
		outside <- err
	}()
	until(t, "both have asked", func() bool {
		a.asks.mu.Lock()
		defer a.asks.mu.Unlock()
		return len(a.asks.waiting) == 1
	})
	for key := range uint64(5) {
		for _, name := range []string{asker.Name, outsideName} {
			to := a.PID(markAsk(name, key+1))
			if err := wire.Send(PID{}, to, text("forged")); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "all are dead letters", func() bool {
		l := a.DeadLetters()
		return len(l) == 1 && l[0].Count == 10 && l[0].Reason == reasonLateReply
	})
	cancel()
	if err := receive(t, outside); !errors.Is(err, ErrTimeout) {
		t.Errorf("from outside: %v", err)
	}
}
