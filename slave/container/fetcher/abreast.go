package fetcher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// abreast is how many URIs of an order are fetched at once.
const abreast = 4

// errOther ends what is under way when something else has failed.
var errOther = errors.New("something else could not be fetched")

// each does work for every source, some at once, begun in their order. The first
// that fails ends the others. What has failed by itself is told, in the order of the
// sources, and named.
func each(ctx context.Context, sources []source, work func(ctx context.Context, i int, s *source) error) error {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failed := make([]error, len(sources))
	slots := make(chan struct{}, abreast)
	var all sync.WaitGroup
	for i := range sources {
		select {
		case slots <- struct{}{}:
		case <-within.Done():
		}
		if within.Err() != nil {
			break
		}
		all.Go(func() {
			err := work(within, i, &sources[i])
			if err != nil && !ended(within, err) {
				failed[i] = named(&sources[i], err)
				cancel(errOther)
			}
			<-slots
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failures(failed)
}

// ended tells whether an error says no more than that ctx has ended.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err()))
}

// maxFailures is how many errors are told; of others, how many they are.
const maxFailures = 8

// several are errors, in the order of the URIs.
type several []error

func (s several) Error() string {
	var texts []string
	for _, err := range s[:min(len(s), maxFailures)] {
		texts = append(texts, err.Error())
	}
	if more := len(s) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}

func (s several) Unwrap() []error { return s }

// failures is what there is in errs: nil if that is nothing.
func failures(errs []error) error {
	var all several
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}
