package probe

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// markName names the variable that a check's processes are known by.
const markName = "TROUPE_CHECK"

// errStuck: the kernel lets a killed process linger.
var errStuck = errors.New("the command before, though killed, has not ended")

// command runs beside the task, and is ended with all that it started when ctx
// is.
func (p *Prober) command(ctx context.Context, c *mesos.CommandInfo) check.Result {
	if p.last != nil {
		select {
		case <-p.last.Done():
		default:
			return check.Result{Err: errStuck}
		}
	}
	spec, err := p.spec(c)
	if err != nil {
		return check.Result{Err: fmt.Errorf("preparing the command: %w", err)}
	}
	p.last, err = p.launcher.Launch(spec)
	if err != nil {
		p.last = nil
		return check.Result{Err: fmt.Errorf("starting the command: %w", err)}
	}
	select {
	case <-p.last.Done():
		return exited(p.last.Status())
	case <-ctx.Done():
		p.last.Kill(0)
		p.await()
		return check.Result{Err: ctx.Err()}
	}
}

// killWait is how long an answer waits for a command that was killed, so that
// nothing of it is left then. More than the kernel needs for all but those that
// it lets linger.
const killWait = 2 * time.Second

func (p *Prober) await() {
	late := time.NewTimer(killWait)
	defer late.Stop()
	select {
	case <-p.last.Done():
	case <-late.C:
	}
}

// spec is the command as the task's user, whatever user it names: nobody has
// authorized another. Its output goes where Mesos puts it, among the task's
// errors.
func (p *Prober) spec(c *mesos.CommandInfo) (program.Spec, error) {
	c = proto.CloneOf(c)
	c.User = nil
	task := p.task
	task.Secrets, task.Guest = task.Container != nil, true
	s, err := program.ForCommand(task, c)
	if err != nil {
		return program.Spec{}, err
	}
	if s.Stderr == "" {
		s.Stderr = filepath.Join(s.Dir, "stderr")
	}
	s.Stdout, s.Terminal = s.Stderr, false
	s.Mark = markName + "=" + uuid.NewString()
	s.Env = program.Merge(s.Env, s.Mark)
	return s, nil
}

// exited is what wait(2) gave; a command that was killed has no status.
func exited(status int) check.Result {
	switch {
	case status < 0:
		return check.Result{Err: errors.New("the command ended with unknown status")}
	case status&0x7f != 0:
		return check.Result{Err: fmt.Errorf("the command was killed by signal %d", status&0x7f)}
	}
	return check.Result{Code: status >> 8 & 0xff}
}
