package isolation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/executor/program"
	links "troupe/executor/volume"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/containerizer"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/volume"
	"troupe/slave/container/remains"
)

// Containers are containers as executor hosts see them.
type Containers struct {
	options containerizer.Options
	made    *containerizer.Containerizer

	mu sync.Mutex
	// What containers are made with, by the settings that say so.
	means map[string]containerizer.Means
}

// NewContainers makes containers by what o has.
func NewContainers(o containerizer.Options) *Containers {
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return &Containers{options: o, made: containerizer.New(o), means: map[string]containerizer.Means{}}
}

var _ program.Containers = (*Containers)(nil)

// Launch implements program.Launcher.
func (c *Containers) Launch(s program.Spec) (program.Process, error) {
	if in, is := s.Container.(box); is {
		p, err := in.Container.Launch(specOf(s))
		if err != nil {
			return nil, err
		}
		return held{p}, nil
	}
	p, err := c.options.Plain.Launch(specOf(s))
	if err != nil {
		return nil, err
	}
	return plain{p}, nil
}

// Open implements program.Containers.
func (c *Containers) Open(ctx context.Context, of program.Contents) (program.Container, error) {
	means, err := c.meansOf(of.Isolation)
	if err != nil {
		return nil, err
	}
	info, err := infoOf(of, means.Isolators)
	if err != nil {
		return nil, err
	}
	return boxed(c.made.Open(ctx, means, info, of.Progress))
}

// maxMeans bounds how many settings are remembered; an agent has one, and may have
// another after each start.
const maxMeans = 8

// meansOf is what settings say that containers are made with.
func (c *Containers) meansOf(settings []byte) (containerizer.Means, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, known := c.means[string(settings)]; known {
		return m, nil
	}
	s, err := Parse(settings)
	if err != nil {
		return containerizer.Means{}, err
	}
	set, err := s.Set(c.options.Report)
	if err != nil {
		return containerizer.Means{}, err
	}
	m := containerizer.Means{Isolators: set, Fetcher: fetcher.Client{
		Settings: s.Fetching,
		// This very program, also after its file was replaced.
		Path: fmt.Sprintf("/proc/%d/exe", os.Getpid()), Args: []string{"troupe", "fetch"}, Env: fetcher.Environment(os.LookupEnv),
	}}
	if s.WorkDir != "" {
		m.Record = remains.In(s.WorkDir).Path
	}
	if len(c.means) >= maxMeans {
		clear(c.means)
	}
	c.means[string(settings)] = m
	return m, nil
}

// box is a container.
type box struct{ *containerizer.Container }

func boxed(c *containerizer.Container, err error) (program.Container, error) {
	var limited *containerizer.LimitError
	if errors.As(err, &limited) {
		return nil, &program.LimitError{Limit: limitOf(limited.Limit)}
	}
	if err != nil {
		return nil, err // not a box without a container
	}
	return box{c}, nil
}

// Nest implements program.Container.
func (b box) Nest(ctx context.Context, of program.Contents) (program.Container, error) {
	info, err := infoOf(of, b.Isolators())
	if err == nil {
		info.Volumes, err = volumesAmong(of.Resources, b.Volumes())
	}
	if err != nil {
		return nil, err
	}
	return boxed(b.Container.Nest(ctx, info, of.Progress))
}

// Mounts implements program.Container.
func (b box) Mounts() bool { return mounts(b.Isolators()) }

// Update implements program.Container.
func (b box) Update(a *cluster.ContainerAmounts) error {
	return b.Container.Update(AmountsOf(a), volumesOf(a))
}

// Limit implements program.Container.
func (b box) Limit() *cluster.ContainerLimit { return limitOf(b.Container.Limit()) }

// held is a program in a container, and plain one that is in none.
type (
	held  struct{ *containerizer.Process }
	plain struct{ container.Process }
)

func (p held) Status() int                     { return p.Exit().Status }
func (p held) Limit() *cluster.ContainerLimit  { return limitOf(p.Process.Limit()) }
func (p plain) Status() int                    { return p.Exit().Status }
func (p plain) Limit() *cluster.ContainerLimit { return nil }

func specOf(s program.Spec) container.Spec {
	return container.Spec{
		Path: s.Path, Args: s.Args, Dir: s.Dir, Within: s.Within, Env: s.Env, User: s.User, Stdout: s.Stdout, Stderr: s.Stderr,
		Streams: s.Streams, Terminal: s.Terminal, Window: s.Window, Guest: s.Guest, Mark: s.Mark, Status: s.Status, Own: s.Own,
	}
}

// mounts tells that volumes are shown by mounts, not by links.
func mounts(set *isolator.Set) bool { return set.Has(sandboxPath) || set.Has(sharedFilesystem) }

func infoOf(of program.Contents, set *isolator.Set) (*isolator.Container, error) {
	if mounts(set) { // else whoever makes the links does it
		if err := links.Plain(of.Info); err != nil {
			return nil, err
		}
	}
	if set.Has(linuxFilesystem) {
		if err := volume.Check(of.Info, set.Has, false); err != nil {
			return nil, err
		}
	}
	c := &isolator.Container{
		Task: of.Task, Sandbox: of.Sandbox, User: of.User, Info: of.Info, Command: of.Command,
		Shared:  of.Amounts == nil && of.ID.GetParent() != nil,
		Amounts: AmountsOf(of.Amounts), Volumes: volumesOf(of.Amounts),
	}
	for at := of.ID; at != nil; at = at.Parent {
		if at.GetValue() == "" {
			return nil, fmt.Errorf("container_id %v has an empty part", of.ID)
		}
		c.ID = append(c.ID, at.GetValue())
	}
	slices.Reverse(c.ID)
	return c, nil
}

const megabyte = 1 << 20

// AmountsOf is what an agent's message says that a container may use.
func AmountsOf(a *cluster.ContainerAmounts) isolator.Amounts {
	if a == nil {
		return isolator.Amounts{}
	}
	out := isolator.Amounts{
		CPUs: a.GetCpus(), Revocable: a.GetRevocable(), CPULimit: a.CpusLimit,
		Mem: bytesOf(a.GetMem()), Disk: bytesOf(a.GetDisk()), GPUs: int(a.GetGpus()),
	}
	if a.MemLimit != nil {
		out.MemLimit = proto.Float64(a.GetMemLimit() * megabyte)
	}
	return out
}

// bytesOf is an amount in megabytes.
func bytesOf(mb float64) uint64 { return uint64(max(0, mb) * megabyte) }

func volumesOf(a *cluster.ContainerAmounts) []isolator.Volume {
	var list []isolator.Volume
	for _, v := range a.GetVolumes() {
		list = append(list, isolator.Volume{Resource: v.GetResource(), Source: v.GetSource()})
	}
	return list
}

// volumesAmong are the persistent volumes among resources, which the container
// around has too.
func volumesAmong(given []*mesos.Resource, around []isolator.Volume) ([]isolator.Volume, error) {
	var list []isolator.Volume
	for _, r := range given {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		i := slices.IndexFunc(around, func(v isolator.Volume) bool {
			return proto.Equal(v.Resource.GetDisk(), r.GetDisk()) && roleOf(v.Resource) == roleOf(r)
		})
		if i < 0 {
			return nil, fmt.Errorf("persistent volume %q is none of the container around", r.GetDisk().GetPersistence().GetId())
		}
		list = append(list, around[i])
	}
	return list, nil
}

// roleOf is whose a volume is: an id is one volume's within a role.
func roleOf(r *mesos.Resource) string {
	if n := len(r.GetReservations()); n > 0 {
		return r.GetReservations()[n-1].GetRole()
	}
	return r.GetRole()
}

func limitOf(l *isolator.Limit) *cluster.ContainerLimit {
	if l == nil {
		return nil
	}
	reason := l.Reason
	return &cluster.ContainerLimit{Reason: &reason, Message: &l.Message, Resources: l.Resources}
}
