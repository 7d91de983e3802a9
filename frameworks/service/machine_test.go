package service_test

import (
	"fmt"
	"sync"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// little is a machine of one app, which wants to have as many tasks as the last
// request said. It keeps what it has launched, and tells what it was told.
type little struct {
	mu       sync.Mutex
	want     int
	tasks    map[string]mesos.TaskState
	number   uint64
	held     map[uint64][]state.Effect
	heard    []string
	loaded   int
	rang     time.Time
	probed   []state.Probed
	killing  string
	lost     string
	rescinds int
}

func newLittle() *little {
	return &little{tasks: map[string]mesos.TaskState{}, held: map[uint64][]state.Effect{}}
}

// keep writes a task, and does something when it is durable.
func (m *little) keep(key string, value []byte, then ...state.Effect) state.Effect {
	m.number++
	m.held[m.number] = then
	return state.Persist{Number: m.number, Changes: []state.Change{{Key: key, Value: value}}}
}

// state is what was last told of a task.
func (m *little) state(task string) mesos.TaskState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tasks[task]
}

func (m *little) Step(now time.Time, in state.Input) []state.Effect {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = append(m.heard, fmt.Sprintf("%T", in))
	switch in := in.(type) {
	case state.Loaded:
		m.loaded = len(in.Records)
		var effects []state.Effect
		for _, r := range in.Records {
			m.tasks[r.Key] = mesos.TaskState_TASK_STAGING
			m.want++
			effects = append(effects, state.Watch{Task: r.Key})
		}
		return append(effects, state.SetTimer{At: now.Add(time.Minute)})
	case state.Persisted:
		if in.Err != nil {
			return []state.Effect{state.Fail{Err: in.Err}}
		}
		return m.held[in.Number]
	case state.TimerFired:
		m.rang = now
	case state.Connected:
		return []state.Effect{state.Suppress{}}
	case state.ResetDelay: // of a little machine: one more task
		m.want++
		return []state.Effect{m.keep("request", []byte("1"), state.Answer{Request: in.Request, Deployment: "d1"}, state.Revive{})}
	case state.Update: // which settles
		return []state.Effect{state.Answer{Request: in.Request}}
	case state.KillTasks:
		m.want--
		m.killing = in.Tasks[0]
		return []state.Effect{state.KillTask{Task: in.Tasks[0], Grace: new(time.Duration)}, state.Answer{Request: in.Request}}
	case state.Offers:
		return m.onOffers(in)
	case state.Status:
		return m.onStatus(now, in.Status)
	case state.Probed:
		m.probed = append(m.probed, in)
	case state.Lost:
		m.lost = in.Agent
	case state.Rescinded:
		m.rescinds++
	}
	return nil
}

func (m *little) onOffers(in state.Offers) []state.Effect {
	var effects []state.Effect
	for _, o := range in.Offers {
		if len(m.tasks) >= m.want {
			effects = append(effects, state.Decline{Offer: o, For: time.Hour})
			continue
		}
		id := fmt.Sprintf("t%d", len(m.tasks)+1)
		m.tasks[id] = mesos.TaskState_TASK_STAGING
		task := &mesos.TaskInfo{
			Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: o.GetAgentId(), Resources: o.GetResources(),
			Command: &mesos.CommandInfo{Value: new("true")},
		}
		effects = append(effects, m.keep(id, []byte(o.GetAgentId().GetValue()), state.Accept{Offer: o, Operations: []*mesos.Offer_Operation{{
			Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{task}},
		}}}))
	}
	return effects
}

func (m *little) onStatus(now time.Time, st *mesos.TaskStatus) []state.Effect {
	id := st.GetTaskId().GetValue()
	m.tasks[id] = st.GetState()
	i := &state.Instance{ID: id, Task: id, State: st.GetState()}
	effects := []state.Effect{
		state.Acknowledge{Status: st},
		state.PublishApp{ID: "/a", View: &state.AppView{App: &app.App{ID: "/a"}, Instances: []*state.Instance{i}}},
		state.Event{Occasion: state.StatusSeen, At: now, App: "/a", Instance: i, Status: st},
	}
	switch st.GetState() {
	case mesos.TaskState_TASK_RUNNING:
		effects = append(effects, state.StartProbes{App: &app.App{ID: "/a"}, Instance: i, Health: true})
	case mesos.TaskState_TASK_KILLED:
		effects = append(effects, state.StopProbes{Task: id}, state.PublishApp{ID: "/a"})
	}
	return []state.Effect{m.keep(id, []byte(st.GetState().String()), effects...)}
}
