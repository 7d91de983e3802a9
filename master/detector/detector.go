package detector

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"troupe/master/election"
	"troupe/messages/field"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// ErrClosed is wrapped by what a closed detector answers.
var ErrClosed = election.ErrClosed

// Detector tells who leads. Its methods may be called from any goroutine.
type Detector interface {
	// Leader blocks until the leader is another than known, and returns it; nil
	// is nobody, in both places. An error that is not the context's is for good.
	// The context's error says what was seen meanwhile.
	Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error)
	// Doubt tells that the leader at an address, host:port, does not answer, or
	// says that it does not lead. hint, which may be empty, is the address of the
	// one that is said to. About anybody but the present leader it is ignored.
	Doubt(leader, hint string)
	// Suspect tells that the leader at an address, host:port, has said nothing for
	// long, though its link stands: whether another leads is asked of the others,
	// and the leader stays who it is unless one of them says so of itself. About
	// anybody but the present leader it is ignored. It does not block.
	Suspect(leader string)
	// Masters asks all that can be found for what they are, in the order of
	// their addresses.
	Masters(ctx context.Context) ([]Standing, error)
	// Close ends every Leader that waits.
	Close() error
}

// Standing is what is known of one master.
type Standing struct {
	// Address is host:port.
	Address string
	// Leading tells that it says so itself.
	Leading bool
	// Leader is who leads, according to it; nil when it knows of nobody.
	Leader *mesos.MasterInfo
	// Err is why it could not be asked.
	Err error
}

// Backoff is the pause between two rounds of questions: random(0, b) with b
// from First, doubling, to Longest.
type Backoff struct{ First, Longest time.Duration }

// Options shape a detector. Zero values mean the defaults.
type Options struct {
	// TLS is for masters that are reached over TLS; nil for plain text.
	TLS *tls.Config
	// Backoff between rounds of questions; 100 ms to 2 s.
	Backoff Backoff
	// AnswerTimeout bounds one question to one master; 1 s.
	AnswerTimeout time.Duration
	// Logger is told while nobody is found to lead; nil for silence.
	Logger *zap.Logger
}

// Defaults of Options.
const (
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 2 * time.Second
	answerTimeout  = time.Second
)

func (o Options) withDefaults() Options {
	if o.Backoff.First <= 0 {
		o.Backoff.First = firstBackoff
	}
	if o.Backoff.Longest < o.Backoff.First {
		o.Backoff.Longest = max(longestBackoff, o.Backoff.First)
	}
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = answerTimeout
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

// Open is New of what text says.
func Open(text string, o Options) (Detector, error) {
	at, err := masters.Parse(text)
	if err != nil {
		return nil, err
	}
	return New(at, o)
}

// New makes the detector for a location. A file is read now, once.
func New(at masters.Location, o Options) (Detector, error) {
	o = o.withDefaults()
	if at.File != "" {
		var err error
		if at, err = readFile(at.File); err != nil {
			return nil, err
		}
	}
	if at.ZooKeeper != nil {
		return newElected(*at.ZooKeeper, o), nil
	}
	return newList(at.Masters, newQuestions(o), o), nil
}

// maxFile is more than any location has.
const maxFile = 64 << 10

// readFile reads a file that holds a location.
func readFile(path string) (masters.Location, error) {
	f, err := os.Open(path)
	if err != nil {
		return masters.Location{}, fmt.Errorf("read where the masters are: %w", err)
	}
	defer f.Close() // read only: nothing is lost when closing fails
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return masters.Location{}, fmt.Errorf("read where the masters are: %w", err)
	}
	at, err := masters.Parse(string(text))
	if err == nil && at.File != "" {
		err = field.Invalid("", at.File, "is a file again: expecting the masters themselves")
	}
	if err != nil {
		return masters.Location{}, fmt.Errorf("read where the masters are from %s: %w", path, err)
	}
	return at, nil
}
