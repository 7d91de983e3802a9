package detector

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// asker asks a master.
type asker interface {
	// leader is who leads, according to it.
	leader(ctx context.Context, address string) (answer, error)
	// members are the masters that it knows of, by address.
	members(ctx context.Context, address string) []string
}

// answer is what a master says.
type answer struct {
	leading bool
	// nil: it knows of nobody.
	leader *mesos.MasterInfo
}

// list is the detector among masters whose addresses are known.
type list struct {
	candidates []string
	ask        asker
	backoff    Backoff
	log        *zap.Logger
	closed     chan struct{}
	end        sync.Once

	mu sync.Mutex
	// current is nil while nobody is known to lead; changed is closed and made
	// anew with every change.
	current *mesos.MasterInfo
	changed chan struct{}
	// hint is whom to ask first; doubted is who was given up last.
	hint, doubted string
	// suspecting: somebody asks whether another leads.
	suspecting bool
}

// newList makes a detector. Even a single master is asked: its answer has the
// address that it goes by among actors, of which the given one may be an alias.
func newList(candidates []string, ask asker, o Options) *list {
	return &list{
		candidates: candidates, ask: ask, backoff: o.Backoff, log: o.Logger, closed: make(chan struct{}), changed: make(chan struct{}),
	}
}

// nameless is a master of which no more than the address is known.
func nameless(address string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: proto.String(""), Ip: proto.Uint32(0), Pid: proto.String("master@" + address)}
}

// same tells whether two leaders are one. One whose id is unknown is known by its
// address alone.
func same(a, b *mesos.MasterInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.GetId() != "" && b.GetId() != "" {
		return a.GetId() == b.GetId()
	}
	return addressOf(a) == addressOf(b)
}

// addressOf is "" for what has none.
func addressOf(m *mesos.MasterInfo) string {
	address, err := masters.Address(m)
	if err != nil {
		return ""
	}
	return address
}

// Leader implements Detector.
func (l *list) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	ctx, cancel := l.until(ctx)
	defer cancel()
	for {
		l.mu.Lock()
		current, changed := l.current, l.changed
		l.mu.Unlock()
		switch {
		case !same(current, known):
			return current, nil
		case current == nil:
			found, err := l.search(ctx)
			if err != nil {
				return nil, err
			}
			l.found(found)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("look for the leading master: %w", context.Cause(ctx))
		}
	}
}

// until ends with ctx or with the detector.
func (l *list) until(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-l.closed:
			cancel(ErrClosed)
		case <-done:
		}
	}()
	return ctx, func() { close(done); cancel(nil) }
}

func (l *list) found(m *mesos.MasterInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		l.set(m)
		l.hint, l.doubted = "", ""
	}
}

// set needs the lock.
func (l *list) set(m *mesos.MasterInfo) {
	l.current = m
	close(l.changed)
	l.changed = make(chan struct{})
}

// Doubt implements Detector.
func (l *list) Doubt(leader, hint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil || addressOf(l.current) != leader {
		return
	}
	if masters.CheckAddress(hint) == nil {
		l.hint = hint
	}
	l.doubted = leader
	l.set(nil)
}

// Suspect implements Detector.
func (l *list) Suspect(leader string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	suspected := l.current
	if suspected == nil || addressOf(suspected) != leader || l.suspecting {
		return
	}
	l.suspecting = true
	go func() {
		other := l.other(suspected)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.suspecting = false
		if other != nil && l.current == suspected {
			l.set(other)
		}
	}()
}

// other asks every candidate but one, once, who leads instead.
func (l *list) other(than *mesos.MasterInfo) *mesos.MasterInfo {
	ctx, cancel := l.until(context.Background())
	defer cancel()
	for _, address := range l.order() {
		if address == addressOf(than) {
			continue
		}
		if leader, _ := l.consult(ctx, address); leader != nil && !same(leader, than) {
			return leader
		}
	}
	return nil
}

// Close implements Detector.
func (l *list) Close() error {
	l.end.Do(func() { close(l.closed) })
	return nil
}

// order is whom to ask: a hint, then the candidates from a random one on, the
// one that was given up last among them at the end.
func (l *list) order() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := rand.IntN(len(l.candidates))
	asked := append(slices.Clone(l.candidates[start:]), l.candidates[:start]...)
	if i := slices.Index(asked, l.doubted); i >= 0 {
		asked = append(slices.Delete(asked, i, i+1), l.doubted)
	}
	if l.hint != "" {
		asked = append([]string{l.hint}, slices.DeleteFunc(asked, func(a string) bool { return a == l.hint })...)
	}
	return asked
}

// Whoever waits for a leader is told in the log, soon and then now and again.
const (
	firstComplaint = time.Second
	nextComplaint  = 30 * time.Second
)

// search asks until somebody leads.
func (l *list) search(ctx context.Context) (*mesos.MasterInfo, error) {
	asked := l.order()
	said := make(map[string]string, len(asked))
	complain := time.Now().Add(firstComplaint)
	for pause := l.backoff.First; ; pause = min(2*pause, l.backoff.Longest) {
		if leader := l.round(ctx, asked, said); leader != nil {
			return leader, nil
		}
		if now := time.Now(); !now.Before(complain) {
			complain = now.Add(nextComplaint)
			l.log.Warn("No master leads", zap.String("seen", summary(said)))
		}
		wait := time.NewTimer(rand.N(pause))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, fmt.Errorf("no master leads (%s): %w", summary(said), context.Cause(ctx))
		}
	}
}

// round asks one after the other until one leads, or one that lives knows of
// nobody. The next round goes on behind that one, so that no single master that
// is cut off from the others is believed for ever.
func (l *list) round(ctx context.Context, asked []string, said map[string]string) *mesos.MasterInfo {
	for range asked {
		address := asked[0]
		copy(asked, asked[1:])
		asked[len(asked)-1] = address
		leader, text := l.consult(ctx, address)
		switch {
		case leader != nil:
			return leader
		case ctx.Err() != nil:
			return nil
		}
		said[address] = text
		if text == saysNobody {
			return nil
		}
	}
	return nil
}

const saysNobody = "stands by, and knows of no leader"

// consult asks one master, and whom it names. A leader is who says so itself:
// others may not have heard yet that it is gone.
func (l *list) consult(ctx context.Context, address string) (*mesos.MasterInfo, string) {
	a, err := l.ask.leader(ctx, address)
	switch {
	case err != nil:
		return nil, err.Error()
	case a.leading:
		return a.leader, ""
	case a.leader == nil:
		return nil, saysNobody
	}
	named, err := masters.Address(a.leader)
	if err != nil || named == address {
		return nil, saysNobody
	}
	b, err := l.ask.leader(ctx, named)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("names %s as the leader, which does not answer: %v", named, err)
	case b.leading:
		return b.leader, ""
	}
	return nil, saysNobody
}

// summary is what masters said, for people.
func summary(said map[string]string) string {
	if len(said) == 0 {
		return "nobody has answered yet"
	}
	var parts []string
	for _, address := range slices.Sorted(maps.Keys(said)) {
		parts = append(parts, address+" "+said[address])
	}
	return strings.Join(parts, "; ")
}

// Masters implements Detector.
func (l *list) Masters(ctx context.Context) ([]Standing, error) {
	standings := l.standings(ctx, l.candidates)
	known := slices.Clone(l.candidates)
	var more []string
	learn := func(address string) {
		if address != "" && !slices.Contains(known, address) && !slices.ContainsFunc(standings, func(s Standing) bool {
			return s.Leading && addressOf(s.Leader) == address // by another name
		}) {
			known, more = append(known, address), append(more, address)
		}
	}
	for _, s := range standings {
		if s.Err != nil {
			continue
		}
		if s.Leader != nil {
			learn(addressOf(s.Leader))
		}
		for _, address := range l.ask.members(ctx, s.Address) {
			learn(address)
		}
	}
	standings = append(standings, l.standings(ctx, more)...)
	slices.SortFunc(standings, func(a, b Standing) int { return strings.Compare(a.Address, b.Address) })
	return standings, nil
}

// standings asks several at once.
func (l *list) standings(ctx context.Context, addresses []string) []Standing {
	all := make([]Standing, len(addresses))
	var asking sync.WaitGroup
	for i, address := range addresses {
		asking.Go(func() {
			a, err := l.ask.leader(ctx, address)
			all[i] = Standing{Address: address, Leading: a.leading, Leader: a.leader, Err: err}
		})
	}
	asking.Wait()
	return all
}
