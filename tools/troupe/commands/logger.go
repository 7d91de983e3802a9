package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/show"
)

// logFlags say what a daemon logs, and where to.
type logFlags struct {
	level, dir string
}

func (l *logFlags) add(set *pflag.FlagSet) {
	set.StringVar(&l.level, "logging_level", "info", "log what is at least this important: debug, info, warning or error")
	set.StringVar(&l.dir, "log_dir", "", "folder of a log file, beside what is logged to stderr")
}

// logging is for a daemon of this name. Close the file, if there is one, when
// all is said.
func (l *logFlags) logging(name string, stderr io.Writer) (logging daemon.Logging, done func() error, err error) {
	level, err := parseLevel(l.level)
	if err != nil {
		return logging, nil, err
	}
	logging.Level = level
	done = func() error { return nil }
	core := zapcore.NewCore(encoder(show.StyleFor(stderr).Terminal()), zapcore.Lock(zapcore.AddSync(stderr)), level)
	if l.dir != "" {
		if err := os.MkdirAll(l.dir, 0o755); err != nil {
			return logging, nil, fmt.Errorf("--log_dir: %w", err)
		}
		logging.File = filepath.Join(l.dir, "troupe-"+name+".log")
		file, err := os.OpenFile(logging.File, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return logging, nil, fmt.Errorf("--log_dir: %w", err)
		}
		core = zapcore.NewTee(core, zapcore.NewCore(encoder(false), zapcore.Lock(file), level))
		done = file.Close
	}
	logging.Logger = zap.New(core).Named(name)
	return logging, done, nil
}

// serve starts a daemon of this name and runs it until ctx is done or it fails.
func (l *logFlags) serve(ctx context.Context, io Streams, name string, start func(daemon.Logging) (*daemon.Daemon, error)) error {
	logging, done, err := l.logging(name, io.Err)
	if err != nil {
		return err
	}
	logger := logging.Logger
	d, err := start(logging)
	if err != nil {
		return errors.Join(err, done())
	}
	logger.Info("serving", zap.String("url", d.URL()))
	if err = d.Run(ctx); err != nil {
		logger.Error("ended", zap.Error(err))
	} else {
		logger.Info("ended in order")
	}
	return errors.Join(err, done())
}

func parseLevel(text string) (zap.AtomicLevel, error) {
	name := text
	if name == "warning" || name == "WARNING" {
		name = "warn" // zap's spelling
	}
	level, err := zap.ParseAtomicLevel(name)
	if err != nil {
		return level, usageError{fmt.Errorf("--logging_level=%q is none of debug, info, warning, error", text)}
	}
	return level, nil
}

// encoder writes lines for people on a terminal, JSON elsewhere.
func encoder(terminal bool) zapcore.Encoder {
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	if !terminal {
		return zapcore.NewJSONEncoder(config)
	}
	config.EncodeTime = zapcore.TimeEncoderOfLayout(time.TimeOnly)
	config.EncodeLevel = zapcore.CapitalColorLevelEncoder
	return zapcore.NewConsoleEncoder(config)
}
