package inspect

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// ServeHTTP answers /logging/toggle. Without parameters it says the level.
func (l *LogLevel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, duration := r.FormValue("level"), r.FormValue("duration")
	if name == "" && duration == "" {
		fmt.Fprintln(w, l.level.Level())
		return
	}
	span, err := parseSpan(duration)
	if err != nil {
		http.Error(w, fmt.Sprintf("duration=%q is not like 15mins or 1m30s", duration), http.StatusBadRequest)
		return
	}
	if verbosity, numberErr := strconv.ParseUint(name, 10, 32); numberErr == nil {
		err = l.SetVerbosity(uint32(verbosity), span)
	} else {
		err = l.setNamed(name, span)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%v for %v, then %v\n", l.level.Level(), span, l.usual)
}

func (l *LogLevel) setNamed(name string, span time.Duration) error {
	level, err := zapcore.ParseLevel(name)
	if err != nil {
		return fmt.Errorf("level=%q is none of debug, info, warn, error, and no number of levels to log more", name)
	}
	return l.set(level, span)
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
