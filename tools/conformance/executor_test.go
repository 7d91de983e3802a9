package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/tools/mesosclient"
)

// asExecutor is the variable that makes this program an executor; its value is
// the media type that it speaks.
const asExecutor = "CONFORMANCE_EXECUTOR"

// player is an executor that does what its tasks' data and messages say:
//
//	(a task)          it runs until it is killed; data "finish" ends it at once
//	"say TEXT"        TEXT comes back as a message
//	"environment"     so does the environment, as a JSON list
//	"finish TASK"     a task ends
//	"again"           the stream is closed and opened anew
//	"fail N"          the process ends with a status
type player struct {
	*mesosclient.Executor
	tasks   []*mesos.TaskInfo       // not acknowledged yet
	updates []*executor.Call_Update // not acknowledged yet, oldest first
}

// playExecutor runs until it is told to end; the error is then *ends.
func playExecutor(getenv func(string) string) error {
	var enc mesosclient.Encoding = mesosclient.JSON{}
	if getenv(asExecutor) != enc.MediaType() {
		enc = mesosclient.Protobuf{}
	}
	e, err := mesosclient.ExecutorFrom(getenv, enc)
	if err != nil {
		return err
	}
	p := &player{Executor: e}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // nothing of a test lasts longer
	defer cancel()
	for ctx.Err() == nil {
		err := p.Subscribe(ctx, &executor.Call_Subscribe{UnacknowledgedTasks: p.tasks, UnacknowledgedUpdates: p.updates})
		for err == nil {
			var event *executor.Event
			if event, err = p.Event(); err == nil {
				err = p.obey(ctx, event)
			}
		}
		if told := (*ends)(nil); errors.As(err, &told) {
			return told
		}
		fmt.Fprintln(os.Stderr, "subscribing anew:", err)
		pause(ctx, 100*time.Millisecond)
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// ends is the end of the process that an event or a message asked for.
type ends struct{ status int }

func (e *ends) Error() string { return fmt.Sprint("told to end with ", e.status) }

func (p *player) obey(ctx context.Context, e *executor.Event) error {
	// Every event is told to the scheduler, who checks that all have come.
	if err := p.message(ctx, "event "+e.GetType().String()); err != nil {
		return err
	}
	switch e.GetType() {
	case executor.Event_LAUNCH:
		return p.run(ctx, e.GetLaunch().GetTask())
	case executor.Event_LAUNCH_GROUP:
		for _, task := range e.GetLaunchGroup().GetTaskGroup().GetTasks() {
			if err := p.run(ctx, task); err != nil {
				return err
			}
		}
	case executor.Event_KILL:
		return p.update(ctx, e.GetKill().GetTaskId(), mesos.TaskState_TASK_KILLED)
	case executor.Event_ACKNOWLEDGED:
		p.acknowledged(e.GetAcknowledged())
	case executor.Event_MESSAGE:
		return p.told(ctx, string(e.GetMessage().GetData()))
	case executor.Event_SHUTDOWN:
		return &ends{}
	}
	return nil
}

func (p *player) run(ctx context.Context, task *mesos.TaskInfo) error {
	p.tasks = append(p.tasks, task)
	states := []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING}
	if string(task.GetData()) == "finish" {
		states = append(states, mesos.TaskState_TASK_FINISHED)
	}
	for _, state := range states {
		if err := p.update(ctx, task.GetTaskId(), state); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) update(ctx context.Context, task *mesos.TaskID, state mesos.TaskState) error {
	id := uuid.New()
	u := &executor.Call_Update{Status: &mesos.TaskStatus{
		TaskId: task, State: state.Enum(), Uuid: id[:], Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		ExecutorId: &mesos.ExecutorID{Value: proto.String(p.ExecutorID)},
		Timestamp:  proto.Float64(float64(time.Now().UnixNano()) / 1e9), Message: proto.String("said by the executor"),
	}}
	p.updates = append(p.updates, u)
	_, err := p.Say(ctx, &executor.Call{Type: executor.Call_UPDATE.Enum(), Update: u})
	return err
}

func (p *player) acknowledged(a *executor.Event_Acknowledged) {
	p.updates = slices.DeleteFunc(p.updates, func(u *executor.Call_Update) bool {
		return bytes.Equal(u.GetStatus().GetUuid(), a.GetUuid())
	})
	p.tasks = slices.DeleteFunc(p.tasks, func(t *mesos.TaskInfo) bool {
		return t.GetTaskId().GetValue() == a.GetTaskId().GetValue()
	})
}

func (p *player) told(ctx context.Context, text string) error {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "say":
		return p.message(ctx, rest)
	case "environment":
		list, err := json.Marshal(os.Environ())
		if err != nil {
			return err
		}
		return p.message(ctx, "environment "+string(list))
	case "finish":
		return p.update(ctx, &mesos.TaskID{Value: &rest}, mesos.TaskState_TASK_FINISHED)
	case "again":
		return p.Close()
	case "fail":
		e := &ends{}
		if _, err := fmt.Sscan(rest, &e.status); err != nil {
			return err
		}
		return e
	default:
		return fmt.Errorf("told %q", text)
	}
}

func (p *player) message(ctx context.Context, text string) error {
	_, err := p.Say(ctx, &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte(text)}})
	return err
}
