package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"troupe/master/detector"
	"troupe/messages/masters"
)

// findTimeout bounds the search for a leader: longer than masters take to
// elect one.
const findTimeout = 15 * time.Second

// leader finds the leading master.
type leader struct {
	// single is the address of the only master that is known; "" for several.
	single string
	seeker detector.Detector
}

func newLeader(where string, secure *tls.Config) (leader, error) {
	at, err := masters.Parse(where)
	if err != nil {
		return leader{}, err
	}
	l := leader{}
	if len(at.Masters) == 1 {
		l.single = at.Masters[0]
	}
	l.seeker, err = detector.New(at, detector.Options{TLS: secure})
	return l, err
}

// Close ends the search.
func (l leader) Close() error { return l.seeker.Close() }

// find is the address of the leader.
func (l leader) find(ctx context.Context) (string, error) {
	if l.single != "" {
		return l.single, nil
	}
	return l.seek(ctx)
}

// seek is find by asking the masters, even a single one: its answer is the
// address that actors know it by.
func (l leader) seek(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, findTimeout, fmt.Errorf("%s are over", findTimeout))
	defer cancel()
	info, err := l.seeker.Leader(ctx, nil)
	if err != nil {
		return "", err
	}
	return masters.Address(info)
}

// with makes a request to the leader. One that does not answer, or does not
// lead any more, is given up and looked for once more.
func (l leader) with(ctx context.Context, request func(address string) error) error {
	address, err := l.find(ctx)
	if err != nil {
		return err
	}
	err = request(address)
	if !gaveWay(err) || l.single != "" || ctx.Err() != nil {
		return err
	}
	l.seeker.Doubt(address, "")
	next, notFound := l.find(ctx)
	if notFound != nil || next == address {
		return err
	}
	return request(next)
}

// gaveWay tells whether somebody else may lead by now.
func gaveWay(err error) bool {
	var silent *SilentError
	var status *StatusError
	return errors.As(err, &silent) || errors.As(err, &status) && status.Code == http.StatusServiceUnavailable
}
