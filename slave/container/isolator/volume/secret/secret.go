// Package secret shows secrets to containers as files, which are in memory
// that no other container sees, and gone with it. Imported by wiring.
package secret

import (
	"context"
	"os"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/volume"
	"troupe/slave/container/plan"
	secrets "troupe/slave/container/secret"
)

// Isolator mounts secrets. It keeps no state: the mount is all there is, and ends
// with the container's mount namespace.
type Isolator struct{ resolver secrets.Resolver }

// New never fails.
func New(r secrets.Resolver) Isolator { return Isolator{resolver: r} }

// Name is as --isolation has it.
func (Isolator) Name() string { return volume.Secret }

// Prepare plans the mounts. Errors name the volume and the secret.
func (i Isolator) Prepare(ctx context.Context, c *isolator.Container, p *plan.Plan) error {
	for n, v := range c.Info.GetVolumes() {
		if v.GetSource().GetType() != mesos.Volume_Source_SECRET {
			continue
		}
		if err := i.mount(ctx, c, p, v); err != nil {
			return field.In("container", field.At("volumes", n, err))
		}
	}
	return nil
}

// mount gives the file to the container's user alone, to read, or to change too
// if the volume is RW: the change is seen in this container only.
func (i Isolator) mount(ctx context.Context, c *isolator.Container, p *plan.Plan, v *mesos.Volume) error {
	data, err := i.resolver.Resolve(ctx, v.GetSource().GetSecret())
	if err != nil {
		return field.In("source.secret", err)
	}
	uid, gid := os.Geteuid(), os.Getegid()
	if c.User != "" {
		if uid, gid, err = container.Numbers(c.User); err != nil {
			return err
		}
	}
	content := &plan.Content{Data: data, Mode: 0o600, UID: uint32(uid), GID: uint32(gid)}
	readOnly := v.GetMode() == mesos.Volume_RO
	if readOnly {
		content.Mode = 0o400
	}
	return volume.Add(c, p, volume.Mount{Content: content, At: v.GetContainerPath(), File: true, ReadOnly: readOnly})
}
