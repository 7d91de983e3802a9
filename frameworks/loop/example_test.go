package loop_test

import (
	"context"
	"fmt"
	"time"

	"troupe/frameworks/loop"
	"troupe/frameworks/store"
)

// A turnstile counts who passes, and says how many only when that is on the disk.
// It decides: it has no lock, no goroutine and no clock.
type turnstile struct{ passed, number int }

type (
	pass  struct{ request uint64 }
	saved struct{ request uint64 }
	save  struct {
		request uint64
		passed  int
	}
	tell struct {
		request uint64
		passed  int
	}
)

func (m *turnstile) step(_ time.Time, in any) []any {
	switch in := in.(type) {
	case pass:
		m.passed++
		return []any{save{in.request, m.passed}}
	case saved:
		m.number++
		return []any{tell{in.request, m.number}}
	}
	return nil
}

func Example() {
	machine := new(turnstile)
	var l *loop.Loop[any, any, int]
	l = loop.New[any, any, int](loop.Options[any, any]{
		Step: machine.step, Store: store.NewMemory(),
		Perform: func(e any) {
			switch e := e.(type) {
			case save:
				l.Persist(map[string][]byte{"passed": fmt.Append(nil, e.passed)}, func(err error) any {
					if err != nil {
						l.Fail(err)
					}
					return saved{e.request}
				})
			case tell:
				l.Answer(e.request, e.passed)
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	for range 2 {
		n, err := l.Ask(ctx, func(request uint64) any { return pass{request} })
		fmt.Println(n, err)
	}
	cancel()
	fmt.Println(<-ended)
	// Output:
	// 1 <nil>
	// 2 <nil>
	// <nil>
}
