package slave

import (
	"context"

	"go.uber.org/zap"

	"troupe/actors"
)

// keeper looks after the process of one executor host until that ends. The
// process outlives it: a keeper that stops lets its host be.
type keeper struct {
	start   func() (HostProcess, error)
	started func(HostProcess)
	ended   func(message string)
	process HostProcess // nil until it is started
	doomed  bool        // to be killed as soon as it is started
}

// Init starts the host, or finds it.
func (k *keeper) Init(c *actors.Context) {
	c.Go(func(context.Context) func() {
		p, err := k.start()
		return func() {
			if err != nil {
				k.ended(err.Error())
				c.Stop()
				return
			}
			k.keep(c, p)
		}
	})
}

func (k *keeper) keep(c *actors.Context, p HostProcess) {
	k.process = p
	k.started(p)
	if k.doomed {
		k.kill(c)
	}
	c.Go(func(ctx context.Context) func() {
		select {
		case <-p.Done():
		case <-ctx.Done():
			return nil
		}
		return func() {
			k.ended(p.Message())
			c.Stop()
		}
	})
}

// kill ends the host's process, now or as soon as there is one.
func (k *keeper) kill(c *actors.Context) {
	k.doomed = true
	if k.process == nil {
		return
	}
	if err := k.process.Kill(); err != nil {
		c.Log().Warn("A host was not killed", zap.Int("pid", k.process.Pid()), zap.Error(err))
	}
}
