package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/messages/cluster"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
)

// operatorPatience is how long an operator's request waits for the master.
const operatorPatience = 15 * time.Second

func taskKillCommand(io Streams) *cobra.Command {
	r := &reader{out: io.Out}
	var framework string
	var grace flags.Duration
	c := &cobra.Command{
		Use: "kill TASK…", Short: "Kill tasks", Args: atMost(0, "TASK"),
		Long: "Kill tasks. Their frameworks are told, and may launch them again.",
	}
	r.addFlags(c)
	c.Flags().StringVar(&framework, "framework", "", "id of their framework, where several have such a task")
	duration(c.Flags(), &grace, "grace", 0, "from SIGTERM to SIGKILL; 0 leaves that to the task")
	c.RunE = func(c *cobra.Command, args []string) error {
		return r.operate(c.Context(), func(ctx context.Context, ask func(context.Context, proto.Message) error) error {
			var failures error
			for _, id := range args {
				if err := ask(ctx, killRequest(id, framework, time.Duration(grace))); err != nil {
					failures = errors.Join(failures, fmt.Errorf("kill task %q: %w", id, err))
				}
			}
			return failures
		})
	}
	return c
}

func killRequest(task, framework string, grace time.Duration) *cluster.KillTaskRequest {
	m := &cluster.KillTaskRequest{TaskId: &mesos.TaskID{Value: &task}}
	if framework != "" {
		m.FrameworkId = &mesos.FrameworkID{Value: &framework}
	}
	if grace > 0 {
		m.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(grace))}}
	}
	return m
}

// operate makes requests of the leading master's actor that are answered by an
// OperatorReply.
func (r *reader) operate(ctx context.Context, requests func(context.Context, func(context.Context, proto.Message) error) error) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	secure, err := r.tls.client()
	if err != nil {
		return err
	}
	sys, err := actors.New(actors.Options{TLS: secure})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, operatorPatience)
	defer cancel()
	defer func() { err = join(err, sys.Close(ctx)) }()
	return requests(ctx, func(ctx context.Context, m proto.Message) error { return askLeader(ctx, sys, c, m) })
}

// join keeps an error as it is when there is no second one.
func join(err, second error) error {
	if second == nil {
		return err
	}
	return errors.Join(err, second)
}

// askLeader asks whoever leads. A master that does not lead has done nothing, so
// that the request goes to the next.
func askLeader(ctx context.Context, sys *actors.System, c *client.Client, m proto.Message) error {
	for {
		at, err := c.Seek(ctx)
		if err != nil {
			return err
		}
		answer, err := sys.Ask(ctx, actors.PID{Name: frameworks.MasterName, Address: at}, m)
		if err != nil {
			return fmt.Errorf("ask the master at %s: %w", at, err)
		}
		switch reply := answer.(type) {
		case *cluster.OperatorReply:
			if reply.GetError() != "" {
				return errors.New(reply.GetError())
			}
			return nil
		case *cluster.NotLeading:
			hint, err := masters.Address(reply.GetLeader())
			if err != nil {
				hint = "" // it knows of nobody
			}
			c.Doubt(at, hint)
		default:
			return fmt.Errorf("the master at %s answered %s", at, answer.ProtoReflect().Descriptor().FullName())
		}
	}
}
