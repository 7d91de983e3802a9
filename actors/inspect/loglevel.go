package inspect

import (
	"fmt"
	"math"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogLevel is the level of a process's log, which can be changed for a while.
// Its methods may be used from several goroutines.
type LogLevel struct {
	level zap.AtomicLevel
	usual zapcore.Level

	mu   sync.Mutex
	back *time.Timer // nil while the level is the usual one
}

// NewLogLevel takes over the changes of a level. What it is now is the usual
// one.
func NewLogLevel(level zap.AtomicLevel) *LogLevel {
	return &LogLevel{level: level, usual: level.Level()}
}

// maxToggle bounds how long a level that was meant to be passing can stay.
const maxToggle = 24 * time.Hour

// Verbosity is how many levels more than usual are logged, as Mesos's clients
// count; 0 also when it is fewer.
func (l *LogLevel) Verbosity() uint32 {
	return uint32(max(0, int(l.usual)-int(l.level.Level())))
}

// SetVerbosity logs v levels more than usual, as far as there are levels, for
// a while that is above 0 and at most 24 hours.
func (l *LogLevel) SetVerbosity(v uint32, span time.Duration) error {
	return l.set(zapcore.Level(max(int64(zapcore.DebugLevel), int64(l.usual)-int64(min(v, math.MaxInt8)))), span)
}

func (l *LogLevel) set(level zapcore.Level, span time.Duration) error {
	if span <= 0 || span > maxToggle {
		return fmt.Errorf("duration=%v is not above 0 and at most %v", span, maxToggle)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back != nil {
		l.back.Stop()
	}
	l.level.SetLevel(level)
	var mine *time.Timer
	mine = time.AfterFunc(span, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.back == mine { // no later request has taken over
			l.level.SetLevel(l.usual)
			l.back = nil
		}
	})
	l.back = mine
	return nil
}
