package state

import (
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func TestCommandExecutorsHaveTheGraceOfTheirTask(t *testing.T) {
	for grace, want := range map[int64]int64{0: 2e9, 5e9: 7e9, math.MaxInt64: math.MaxInt64} {
		task := &mesos.TaskInfo{KillPolicy: &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(grace)}}}
		if got := commandExecutor(&mesos.FrameworkInfo{}, task).GetShutdownGracePeriod().GetNanoseconds(); got != want {
			t.Errorf("%d: %d, want %d", grace, got, want)
		}
	}
	if got := commandExecutor(&mesos.FrameworkInfo{}, &mesos.TaskInfo{KillPolicy: &mesos.KillPolicy{}}); got.ShutdownGracePeriod != nil {
		t.Errorf("without a wish: %v", got.ShutdownGracePeriod)
	}
}
