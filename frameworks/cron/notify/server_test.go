package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a mail server of this test's. It takes what any server takes, and
// refuses what it is told to.
type server struct {
	t        *testing.T
	listener net.Listener
	tls      *tls.Config // nil: STARTTLS is not offered
	auth     string      // what AUTH offers; empty is nothing
	user     string      // who may send; empty is everybody
	refuse   func(verb, line string) string

	mu       sync.Mutex
	sessions int
	mails    chan received
}

type received struct {
	from   string
	to     []string
	text   string
	secure bool
	user   string
}

// listen starts a server.
func listen(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.t, s.listener, s.mails = t, l, make(chan received, 100)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	return s
}

func (s *server) address() string { return s.listener.Addr().String() }

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// conversation is with one client.
type conversation struct {
	*server
	conn net.Conn
	in   *bufio.Reader
	received
}

func (s *server) serve(conn net.Conn) {
	s.mu.Lock()
	s.sessions++
	s.mu.Unlock()
	c := &conversation{server: s, conn: conn, in: bufio.NewReader(conn)}
	defer func() { _ = c.conn.Close() }()
	c.say("220 here")
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if s.refuse != nil {
			if reply := s.refuse(verb, line); reply != "" {
				c.say(reply)
				continue
			}
		}
		if !c.answer(verb, rest) {
			return
		}
	}
}

func (c *conversation) say(lines ...string) {
	_, _ = fmt.Fprint(c.conn, strings.Join(lines, "\r\n")+"\r\n") // the client may be gone
}

func (c *conversation) answer(verb, rest string) bool {
	switch verb {
	case "EHLO":
		offers := []string{"250-here"}
		if c.tls != nil && !c.secure {
			offers = append(offers, "250-STARTTLS")
		}
		if c.auth != "" {
			offers = append(offers, "250-AUTH "+c.auth)
		}
		c.say(append(offers, "250 8BITMIME")...)
	case "STARTTLS":
		c.say("220 go on")
		secured := tls.Server(c.conn, c.tls)
		c.conn, c.in, c.secure = secured, bufio.NewReader(secured), true
	case "AUTH":
		c.prove(rest)
	case "MAIL", "RCPT":
		_, address, _ := strings.Cut(rest, "<")
		address, _, _ = strings.Cut(address, ">")
		switch {
		case c.server.user != "" && c.received.user == "":
			c.say("530 who are you")
			return true
		case verb == "MAIL":
			c.from = address
		default:
			c.to = append(c.to, address)
		}
		c.say("250 ok")
	case "DATA":
		c.say("354 go on")
		c.take()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("500 what")
	}
	return true
}

func (c *conversation) take() {
	var text strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	c.text = text.String()
	c.mails <- c.received
	c.say("250 taken")
}

const password = "open sesame"

func (c *conversation) prove(rest string) {
	way, initial, _ := strings.Cut(rest, " ")
	user := ""
	switch way {
	case "PLAIN":
		text, err := base64.StdEncoding.DecodeString(initial)
		if parts := strings.Split(string(text), "\x00"); err == nil && len(parts) == 3 && parts[2] == password {
			user = parts[1]
		}
	case "CRAM-MD5":
		const challenge = "<1@here>"
		c.say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		name, digest, _ := strings.Cut(string(text), " ")
		mac := hmac.New(md5.New, []byte(password))
		mac.Write([]byte(challenge))
		if err == nil && digest == hex.EncodeToString(mac.Sum(nil)) {
			user = name
		}
	}
	if user == "" || user != c.server.user {
		c.say("535 no")
		return
	}
	c.received.user = user
	c.say("235 welcome")
}

// certified is a certificate for this machine, and who vouches for it.
func certified(t *testing.T) (mine, theirs *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}
