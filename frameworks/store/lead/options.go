package lead

import (
	"crypto/tls"
	"errors"
	"net/url"
	"time"

	"go.uber.org/zap"

	"troupe/messages/field"
	"troupe/messages/masters"
)

// Options say where the election is, and where this process can be reached.
type Options struct {
	// Place is the path in ZooKeeper that the processes of one framework share.
	Place masters.ZooKeeper
	// For how long ZooKeeper keeps the session of a silent process, and thus its
	// leadership; 10 s.
	SessionTimeout time.Duration
	// URL is where the others reach this process, as http://HOST:PORT or https.
	URL string
	// Via is the header that marks requests which were passed on, as
	// X-Marathon-Via, so that none is passed on twice.
	Via string
	// TLS is how the others are dialed, where their URLs are of https. Nil: as
	// crypto/tls does.
	TLS *tls.Config
	// Wait bounds for how long a request waits while nobody leads; 2.5 s.
	Wait time.Duration
	// Connect bounds how long the leader may take to accept a connection, and
	// Read how long to begin its answer: 5 s and 10 s. An answer that has begun
	// may last.
	Connect, Read time.Duration
	// Nil: nothing is logged.
	Logger *zap.Logger
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value *time.Duration
		is    time.Duration
	}{{&o.Wait, 2500 * time.Millisecond}, {&o.Connect, 5 * time.Second}, {&o.Read, 10 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.is
		}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

func (o Options) check() error {
	if _, err := parseURL(o.URL); err != nil {
		return field.In("url", err)
	}
	if o.Via == "" || !isToken(o.Via) {
		return field.Invalid("via", o.Via, "is no name of a header")
	}
	return nil
}

// isToken tells whether a header may be called so.
func isToken(name string) bool {
	for _, b := range []byte(name) {
		if (b|0x20 < 'a' || b|0x20 > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return true
}

// parseURL reads where a process is.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		if wrong := new(url.Error); errors.As(err, &wrong) {
			err = wrong.Err // the rest repeats the text
		}
		return nil, field.Invalid("", text, "is no URL: %v", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, field.Invalid("", text, "is not http://HOST:PORT, or https")
	}
	u.Path = ""
	return u, nil
}
