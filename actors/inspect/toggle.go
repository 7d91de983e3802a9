package inspect

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// toggle changes the log's level for a while.
type toggle struct {
	level zap.AtomicLevel
	usual zapcore.Level

	mu   sync.Mutex
	back *time.Timer // nil while the level is the usual one
}

func newToggle(level zap.AtomicLevel) *toggle {
	return &toggle{level: level, usual: level.Level()}
}

// maxToggle bounds how long a level that was meant to be passing can stay.
const maxToggle = 24 * time.Hour

// ServeHTTP implements http.Handler. Without parameters it says the level.
func (t *toggle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, duration := r.FormValue("level"), r.FormValue("duration")
	if name == "" && duration == "" {
		fmt.Fprintln(w, t.level.Level())
		return
	}
	level, err := zapcore.ParseLevel(name)
	if err != nil {
		http.Error(w, fmt.Sprintf("level=%q is none of debug, info, warn, error", name), http.StatusBadRequest)
		return
	}
	span, err := parseSpan(duration)
	if err != nil || span <= 0 || span > maxToggle {
		http.Error(w, fmt.Sprintf("duration=%q is not like 15mins or 1m30s, above 0 and at most %v", duration, maxToggle), http.StatusBadRequest)
		return
	}
	t.set(level, span)
	fmt.Fprintf(w, "%v for %v, then %v\n", level, span, t.usual)
}

func (t *toggle) set(level zapcore.Level, span time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.back != nil {
		t.back.Stop()
	}
	t.level.SetLevel(level)
	var mine *time.Timer
	mine = time.AfterFunc(span, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.back == mine { // no later request has taken over
			t.level.SetLevel(t.usual)
			t.back = nil
		}
	})
	t.back = mine
}

// units of Mesos's durations; Go's have their own.
var units = map[string]time.Duration{"secs": time.Second, "mins": time.Minute, "hrs": time.Hour}

// parseSpan reads Mesos's "15mins" and "30secs", and Go's durations.
func parseSpan(text string) (time.Duration, error) {
	for name, unit := range units {
		number, ok := strings.CutSuffix(text, name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, err
		}
		span := n * float64(unit)
		if !(span > -math.MaxInt64 && span < math.MaxInt64) {
			return 0, fmt.Errorf("%q is no span of time that can be", text)
		}
		return time.Duration(span), nil
	}
	return time.ParseDuration(text)
}
