package daemon

import (
	"context"
	"fmt"
	"os"
	"sync"

	"troupe/actors"
	"troupe/slave"
	"troupe/slave/container/posix"
	"troupe/slave/container/remains"
	"troupe/slave/state"
)

// HostCommand is how executor hosts are started: a program and its arguments,
// before those that say which host it is.
type HostCommand struct {
	Path string
	Args []string
}

// hostProcesses starts executor hosts as processes that outlive the agent.
type hostProcesses struct {
	command HostCommand
	output  string
	sweeper remains.Sweeper

	mu      sync.Mutex
	running []*posix.Daemon // those that may not have ended
}

// StartHost implements slave.Processes.
func (h *hostProcesses) StartHost(agent actors.PID, id string) (slave.HostProcess, error) {
	args := append(append([]string{}, h.command.Args...), "--agent="+agent.Address, "--host_id="+id)
	d, err := posix.StartDaemon(h.command.Path, args, []string{"PATH=" + os.Getenv("PATH")}, h.output)
	if err != nil {
		return nil, err
	}
	h.remember(d)
	return d, nil
}

// WatchHost implements slave.Processes.
func (h *hostProcesses) WatchHost(pid int, started uint64) (slave.HostProcess, error) {
	d, err := posix.FindDaemon(pid, started)
	if err != nil {
		return nil, err
	}
	h.remember(d)
	return d, nil
}

// Sweep implements slave.Processes.
func (h *hostProcesses) Sweep(ctx context.Context, list []state.Remains) (map[state.Program]int32, error) {
	left := make([]remains.Remains, len(list))
	for i, r := range list {
		left[i] = remains.Remains{ID: string(r.Container), Sandbox: r.Sandbox}
		for _, task := range r.Tasks {
			left[i].Tasks = append(left[i].Tasks, string(task))
		}
	}
	found, err := h.sweeper.Sweep(ctx, left)
	exits := make(map[state.Program]int32, len(found))
	for p, status := range found {
		exits[state.Program{Container: state.ContainerID(p.Container), Task: state.TaskID(p.Task)}] = status
	}
	return exits, err
}

// Strays implements slave.Processes.
func (h *hostProcesses) Strays(ctx context.Context) ([]state.ContainerID, error) {
	found, err := h.sweeper.Strays(ctx)
	ids := make([]state.ContainerID, len(found))
	for i, id := range found {
		ids[i] = state.ContainerID(id)
	}
	return ids, err
}

func (h *hostProcesses) remember(d *posix.Daemon) {
	h.mu.Lock()
	defer h.mu.Unlock()
	still := h.running[:0]
	for _, r := range h.running {
		select {
		case <-r.Done():
		default:
			still = append(still, r)
		}
	}
	h.running = append(still, d)
}

// wait returns when all hosts have ended. When ctx is done before, it kills
// them.
func (h *hostProcesses) wait(ctx context.Context) error {
	h.mu.Lock()
	running := h.running
	h.mu.Unlock()
	for _, d := range running {
		select {
		case <-d.Done():
			continue
		case <-ctx.Done():
		}
		if err := d.Kill(); err != nil {
			return fmt.Errorf("executor host: %w", err)
		}
		<-d.Done()
	}
	return nil
}
