package replicated

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// raftLogger is a logger for Raft whose lines go to log: what Raft calls Info
// is for those who look into it, and is Debug here. A master that is away would
// make a line each second: of lines with one text the first three of every
// minute are written.
func raftLogger(log *zap.Logger) hclog.Logger {
	log = log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Minute, 3, 0)
	}))
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Output: io.Discard, Level: hclog.Off})
	l.RegisterSink(sink{log.Named("raft")})
	return l
}

type sink struct{ log *zap.Logger }

// Accept writes one line.
func (s sink) Accept(_ string, level hclog.Level, text string, args ...any) {
	entry := s.log.Check(levelOf(level), text)
	if entry == nil {
		return
	}
	fields := make([]zap.Field, 0, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		fields = append(fields, zap.String(fmt.Sprint(args[i]), valueOf(args[i+1])))
	}
	entry.Write(fields...)
}

func levelOf(level hclog.Level) zapcore.Level {
	switch level {
	case hclog.Error:
		return zapcore.ErrorLevel
	case hclog.Warn:
		return zapcore.WarnLevel
	default:
		return zapcore.DebugLevel
	}
}

// valueOf prints what hclog would: a Format is a format and its arguments.
func valueOf(arg any) string {
	if f, ok := arg.(hclog.Format); ok && len(f) > 0 {
		return fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
	}
	return fmt.Sprint(arg)
}
