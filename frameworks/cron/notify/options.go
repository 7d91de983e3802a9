package notify

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/cron/plan"
	"troupe/messages/field"
)

// Options say who is told of what, and how. Without Mail and Webhooks nobody is.
type Options struct {
	// Cluster is put before every subject, in brackets; empty is nothing.
	Cluster string
	// Occasions are what people are told of, where a job does not say otherwise by
	// its tag Tag. Nil is DefaultOccasions.
	Occasions []plan.Occasion
	// Mail says how owners are written to; nil: they are not.
	Mail *Mail
	// Webhooks are URLs that every notification is posted to.
	Webhooks []string
	// Client posts to webhooks; nil is one of its own.
	Client *http.Client
	// Timeout bounds one attempt; 10 s.
	Timeout time.Duration
	// Attempts per notification, 5, of which the second follows after Backoff, 1 s,
	// which doubles up to a minute.
	Attempts int
	Backoff  time.Duration
	// Queue bounds how many notifications wait for a mail server or a webhook; what
	// comes on top is dropped and counted. 1000.
	Queue  int
	Logger *zap.Logger
}

// Mail is how mail leaves.
type Mail struct {
	Server string // host:port
	From   string // an address
	// User and Password prove who sends; empty User: nobody.
	User, Password string
	// RequireTLS refuses servers that do not offer STARTTLS; otherwise it is used
	// where it is offered.
	RequireTLS bool
	// TLS checks the server; nil is the machine's authorities and Server's name.
	TLS *tls.Config
}

// DefaultOccasions are what Chronos tells of.
func DefaultOccasions() []plan.Occasion {
	return []plan.Occasion{plan.JobRemoved, plan.JobDisabled, plan.RetriesExhausted}
}

// Tag is the tag of a job that says what its people are told of: occasions with
// commas between, as ParseOccasions reads them.
const Tag = "notify"

// words are the occasions as flags and tags name them.
var words = []struct {
	word     string
	occasion plan.Occasion
}{
	{"removed", plan.JobRemoved},
	{"disabled", plan.JobDisabled},
	{"exhausted", plan.RetriesExhausted},
	{"failed", plan.AttemptFailed},
	{"succeeded", plan.RunSucceeded},
}

// ParseOccasions reads "removed,disabled,exhausted,failed,succeeded", some of
// these, "all", or "none".
func ParseOccasions(text string) ([]plan.Occasion, error) {
	all := []plan.Occasion{}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		i := slices.IndexFunc(words, func(w struct {
			word     string
			occasion plan.Occasion
		},
		) bool {
			return w.word == word
		})
		switch {
		case i >= 0:
			all = append(all, words[i].occasion)
		case word == "all":
			for _, w := range words {
				all = append(all, w.occasion)
			}
		case word != "none":
			return nil, field.Invalid("", text, "has %q, which is none of removed, disabled, exhausted, failed, succeeded, all, none", word)
		}
	}
	return all, nil
}

func (o Options) withDefaults() Options {
	if o.Occasions == nil {
		o.Occasions = DefaultOccasions()
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.Queue <= 0 {
		o.Queue = 1000
	}
	if o.Client == nil {
		o.Client = &http.Client{}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

func (o Options) check() error {
	for i, hook := range o.Webhooks {
		u, err := url.Parse(hook)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			// The URL may be a secret, as that of Slack is.
			return field.At("webhooks", i, fmt.Errorf("is no URL of http or https"))
		}
	}
	if o.Mail == nil {
		return nil
	}
	if _, _, err := net.SplitHostPort(o.Mail.Server); err != nil {
		return field.Invalid("mail.server", o.Mail.Server, "is not host:port")
	}
	if _, err := mail.ParseAddress(o.Mail.From); err != nil {
		return field.Invalid("mail.from", o.Mail.From, "is no address of mail")
	}
	return nil
}
