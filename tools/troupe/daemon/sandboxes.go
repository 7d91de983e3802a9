package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"troupe/slave/container/linux"
	"troupe/slave/container/posix"
	"troupe/slave/container/remains"
	"troupe/slave/container/sandbox"
)

// sandboxes makes and collects the folders of containers, with what is recorded of
// their ends, and keeps the log of their hosts short.
type sandboxes struct {
	sandbox.Layout
	*sandbox.Collector
	hostLog string
	exits   remains.Exits
	log     *zap.Logger
}

// hostLogLimit bounds the log of executor hosts, and what is kept of it before.
const hostLogLimit = 4 << 20

// Collect implements slave.Sandboxes.
func (s sandboxes) Collect(ctx context.Context, now time.Time) error {
	return errors.Join(posix.BoundLog(s.hostLog, hostLogLimit), s.Collector.Collect(ctx, now))
}

// Retire implements slave.Sandboxes. The end of the container has been taken in.
func (s sandboxes) Retire(path string, since time.Time) {
	if err := s.exits.Forget(filepath.Base(path)); err != nil {
		s.log.Warn("A record was not removed", zap.Error(err))
	}
	s.Collector.Retire(path, since)
}

// RetireAll implements slave.Sandboxes.
func (s sandboxes) RetireAll(live func(path string) bool) error {
	containers := map[string]bool{}
	err := s.Collector.RetireAll(func(path string) bool {
		lives := live(path)
		if lives {
			containers[filepath.Base(path)] = true
		}
		return lives
	})
	return errors.Join(err, s.exits.ForgetAll(func(container string) bool { return containers[container] }))
}

// ForgetExit implements slave.Sandboxes.
func (s sandboxes) ForgetExit(container, task string) {
	if err := s.exits.ForgetTask(container, task); err != nil {
		s.log.Warn("A record was not removed", zap.Error(err))
	}
}

// exitOf is how a program ended, if its init recorded that.
func (s sandboxes) exitOf(p remains.Program) (status int32, recorded bool) {
	n, recorded, err := linux.ReadStatus(s.exits.Path(p.Container, p.Task))
	if err != nil {
		s.log.Warn("How a program ended is not known", zap.String("container", p.Container), zap.String("task", p.Task), zap.Error(err))
	}
	return int32(n), recorded && err == nil
}
