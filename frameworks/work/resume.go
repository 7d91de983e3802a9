package work

import (
	"fmt"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// resume takes up a task whose next attempt may run already.
func (m *Machine) resume(in Resume) {
	if in.Ended < 0 {
		err := field.Invalid("ended", in.Ended, "is negative")
		m.do(Report{Progress{
			Task: in.Task, State: mesos.TaskState_TASK_ERROR, Final: true, Err: fmt.Errorf("task %q: %w", in.Task.ID, err),
		}})
		return
	}
	j := m.admit(in.Task)
	if j == nil {
		return
	}
	j.attempt, j.failures = in.Ended, in.Ended
	j.live = j.nextID()
	j.attempt++
	j.resumed = true
	m.live[j.live] = j
	m.do(Watch{ID: j.live})
}

// unknown tells whether an attempt that was asked for was never launched.
func (j *job) unknown(st *mesos.TaskStatus) bool {
	return j.resumed && st.GetState() == mesos.TaskState_TASK_UNKNOWN
}
