package view

import (
	"cmp"
	"maps"
	"slices"

	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// Limits bounds what is remembered of the past. A negative value means none.
type Limits struct {
	CompletedFrameworks int // 0 means 50
	CompletedTasks      int // per framework; 0 means 1000
	UnreachableTasks    int // per framework; 0 means 1000
}

// WithDefaults replaces what is 0.
func (l Limits) WithDefaults() Limits {
	return Limits{
		CompletedFrameworks: cmp.Or(l.CompletedFrameworks, 50),
		CompletedTasks:      cmp.Or(l.CompletedTasks, 1000),
		UnreachableTasks:    cmp.Or(l.UnreachableTasks, 1000),
	}
}

// Model is the state that the events so far add up to. It is not safe for
// concurrent use; a Snapshot of it is.
type Model struct {
	limits      Limits
	agents      map[AgentID]*Agent
	frameworks  map[FrameworkID]*frameworkModel
	order       []FrameworkID // as they came to be known
	completed   []FrameworkState
	unreachable map[AgentID]bool
	counters    Counters
	operations  map[[16]byte]*Operation
	used        Amounts
	version     uint64
	revision    uint64
	settings    settings
	nobody      Activity // counts for frameworks that are not shown
}

// frameworkModel is what belongs to one framework.
type frameworkModel struct {
	framework   *Framework
	activity    *Activity
	tasks       []*Task
	unreachable []*Task // oldest first
	completed   []*Task // oldest first
	offers      map[OfferID]*Offer
	inverse     map[OfferID]*InverseOffer // nil while there are none
	executors   map[executorKey]*Executor
}

type executorKey struct {
	agent AgentID
	id    ExecutorID
}

// NewModel returns an empty model.
func NewModel(l Limits) *Model {
	return &Model{
		limits:      l.WithDefaults(),
		agents:      make(map[AgentID]*Agent),
		frameworks:  make(map[FrameworkID]*frameworkModel),
		unreachable: make(map[AgentID]bool),
		counters:    newCounters(),
		operations:  make(map[[16]byte]*Operation),
		used:        make(Amounts),
	}
}

// Apply adds an event.
func (m *Model) Apply(e Event) {
	m.version++
	if !counted(e) {
		m.revision++
	}
	m.counters.count(e)
	m.countActivity(e)
	switch e := e.(type) {
	case AgentAdded:
		m.agents[e.Agent.ID] = e.Agent
		delete(m.unreachable, e.Agent.ID)
	case AgentChanged:
		m.agents[e.Agent.ID] = e.Agent
	case AgentRemoved:
		delete(m.agents, e.ID)
		if e.Unreachable {
			m.unreachable[e.ID] = true
		}
	case SettingsChanged:
		m.settings.apply(e)
	case FrameworkAdded:
		m.addFramework(e.Framework)
	case FrameworkChanged:
		if f := m.frameworks[e.Framework.ID]; f != nil {
			f.framework = e.Framework
		}
	case FrameworkRemoved:
		m.completeFramework(e.Framework)
	case OffersMade:
		for _, o := range e.Offers {
			if f := m.frameworks[o.Framework]; f != nil {
				f.offers[o.ID] = o
			}
		}
	case OfferRemoved:
		if f := m.frameworks[e.Offer.Framework]; f != nil {
			delete(f.offers, e.Offer.ID)
		}
	case InverseOffersMade:
		m.addInverseOffers(e.Offers)
	case InverseOfferRemoved:
		if f := m.frameworks[e.Framework]; f != nil {
			delete(f.inverse, e.ID)
		}
	case ExecutorAdded:
		if f := m.frameworks[e.Executor.Framework]; f != nil {
			f.executors[executorKey{e.Executor.Agent, e.Executor.ID}] = e.Executor
			m.used.Add(e.Executor.Resources, 1)
		}
	case ExecutorRemoved:
		if f := m.frameworks[e.Framework]; f != nil {
			m.removeExecutor(f, executorKey{e.Agent, e.ID})
		}
	case OperationAdded:
		m.operations[e.Operation.UUID] = e.Operation
	case OperationUpdated:
		m.operations[e.Operation.UUID] = e.Operation
	case OperationRemoved:
		delete(m.operations, e.Operation.UUID)
	default:
		m.applyTask(e)
	}
}

func (m *Model) addInverseOffers(offers []*InverseOffer) {
	for _, o := range offers {
		f := m.frameworks[o.Framework]
		if f == nil {
			continue
		}
		if f.inverse == nil {
			f.inverse = make(map[OfferID]*InverseOffer)
		}
		f.inverse[o.ID] = o
	}
}

func (m *Model) applyTask(e Event) {
	switch e := e.(type) {
	case TaskAdded:
		if f := m.frameworks[e.Task.Framework]; f != nil {
			f.tasks = append(f.tasks, e.Task)
			m.hold(e.Task, 1)
		}
	case TaskUpdated:
		if f := m.frameworks[e.Task.Framework]; f != nil && e.Rank < len(f.tasks) {
			m.hold(f.tasks[e.Rank], -1)
			f.tasks[e.Rank] = e.Task
			m.hold(e.Task, 1)
		}
	case TaskRemoved:
		if f := m.frameworks[e.Task.Framework]; f != nil && e.Rank < len(f.tasks) {
			m.removeTask(f, e)
		}
	case TaskForgotten:
		if f := m.frameworks[e.Framework]; f != nil {
			f.unreachable = slices.DeleteFunc(f.unreachable, func(t *Task) bool { return t.ID == e.Task })
		}
	}
}

func (m *Model) removeTask(f *frameworkModel, e TaskRemoved) {
	m.hold(f.tasks[e.Rank], -1)
	last := len(f.tasks) - 1
	f.tasks[e.Rank] = f.tasks[last]
	f.tasks[last] = nil
	f.tasks = f.tasks[:last]
	if e.Fate == Unreachable {
		f.unreachable = keep(f.unreachable, e.Task, m.limits.UnreachableTasks)
	} else {
		f.completed = keep(f.completed, e.Task, m.limits.CompletedTasks)
	}
}

func (m *Model) removeExecutor(f *frameworkModel, key executorKey) {
	if e := f.executors[key]; e != nil {
		m.used.Add(e.Resources, -1)
		delete(f.executors, key)
	}
}

// hold counts what a task holds, unless it has ended.
func (m *Model) hold(t *Task, sign resources.Milli) {
	if !tasks.Terminal(t.State) {
		m.used.Add(t.Resources, sign)
	}
}

func (m *Model) addFramework(f *Framework) {
	m.frameworks[f.ID] = &frameworkModel{
		framework: f,
		activity:  new(Activity),
		offers:    make(map[OfferID]*Offer),
		executors: make(map[executorKey]*Executor),
	}
	m.order = append(m.order, f.ID)
}

func (m *Model) completeFramework(done *Framework) {
	f := m.frameworks[done.ID]
	if f == nil {
		return
	}
	f.framework = done
	delete(m.frameworks, done.ID)
	m.order = slices.DeleteFunc(m.order, func(id FrameworkID) bool { return id == done.ID })
	m.forgetPrincipal(done.Info.GetPrincipal())
	past := f.state()
	past.Tasks, past.Offers, past.InverseOffers, past.Executors = nil, nil, nil, nil
	past.UnreachableTasks, past.CompletedTasks = slices.Clone(f.unreachable), slices.Clone(f.completed)
	m.completed = keep(m.completed, past, m.limits.CompletedFrameworks)
}

// forgetPrincipal drops the figures of a principal that has no framework any more.
func (m *Model) forgetPrincipal(principal string) {
	for _, f := range m.frameworks {
		if f.framework.Info.GetPrincipal() == principal {
			return
		}
	}
	delete(m.counters.Messages, principal)
}

// keep appends item, and forgets the oldest beyond limit.
func keep[T any](list []T, item T, limit int) []T {
	if limit <= 0 {
		return nil
	}
	list = append(list, item)
	if len(list) > limit {
		var none T
		list[0], list = none, list[1:]
	}
	return list
}

// counted tells whether an event changes nothing but figures.
func counted(e Event) bool {
	switch e.(type) {
	case Called, Messaged, Told, Operated, Judged, RemovalMoved, RecoveryEnded, TaskRefused, OperationRefused:
		return true
	}
	return false
}

// Version counts the events applied.
func (m *Model) Version() uint64 { return m.version }

// Revision counts those of them that changed more than figures.
func (m *Model) Revision() uint64 { return m.revision }

// Snapshot returns what the model is now. It shares every record with the
// model, costs a pointer for each, and never changes.
func (m *Model) Snapshot() *Snapshot {
	s := &Snapshot{
		Version:     m.version,
		Revision:    m.revision,
		Agents:      make([]*Agent, 0, len(m.agents)),
		Frameworks:  make([]FrameworkState, 0, len(m.order)),
		Completed:   slices.Clone(m.completed),
		Unreachable: len(m.unreachable),
		Counters:    m.counters.clone(),
		Used:        maps.Clone(m.used),
		Settings:    m.settings.share(),
	}
	for _, a := range m.agents {
		s.Agents = append(s.Agents, a)
	}
	for _, o := range m.operations {
		s.Operations = append(s.Operations, o)
	}
	for _, id := range m.order {
		f := m.frameworks[id].state()
		f.Tasks = slices.Clone(f.Tasks)
		f.UnreachableTasks = slices.Clone(f.UnreachableTasks)
		f.CompletedTasks = slices.Clone(f.CompletedTasks)
		activity := *f.Activity
		f.Activity = &activity
		s.Frameworks = append(s.Frameworks, f)
	}
	return s
}

func (f *frameworkModel) state() FrameworkState {
	s := FrameworkState{
		Framework: f.framework, Activity: f.activity, Tasks: f.tasks, UnreachableTasks: f.unreachable, CompletedTasks: f.completed,
		Offers: make([]*Offer, 0, len(f.offers)), Executors: make([]*Executor, 0, len(f.executors)),
	}
	for _, o := range f.offers {
		s.Offers = append(s.Offers, o)
	}
	for _, o := range f.inverse {
		s.InverseOffers = append(s.InverseOffers, o)
	}
	for _, e := range f.executors {
		s.Executors = append(s.Executors, e)
	}
	return s
}
