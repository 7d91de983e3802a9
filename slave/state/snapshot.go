package state

import (
	"cmp"
	"slices"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// Snapshot is a journal that replays to what this machine is, for the journal
// to be rewritten with. Checkpoints that are on their way are in it; records
// are immutable, so that it can be written at leisure.
func (m *Machine) Snapshot() []*cluster.JournalRecord {
	var records []*cluster.JournalRecord
	if m.id() != nil {
		records = append(records, m.identity())
	}
	if m.drain != nil {
		records = append(records, drainRecord(m.drain))
	}
	if r := resourcesRecord(m.stock.total); len(r.GetResources().GetResources()) > 0 {
		records = append(records, r)
	}
	for _, o := range m.stock.inArrival() {
		if o.ended() || o.durable {
			records = append(records, operationRecord(o, o.status))
		}
	}
	for _, h := range sorted(m.hosts) {
		if h.started != 0 && h.end == nil && (h.known || h.returning) {
			records = append(records, hostRecord(h))
		}
	}
	owned := map[updates.Key]bool{}
	for _, f := range sorted(m.frameworks) {
		records = append(records, frameworkRecord(f.info))
		for _, e := range f.lives() {
			records = m.appendLife(records, e)
		}
		for _, t := range f.tasks {
			owned[t.key()] = true
		}
	}
	for _, k := range m.streams.Keys() {
		if !owned[k] {
			records = m.appendPending(records, k)
		}
	}
	for _, w := range m.journal.waiting {
		records = append(records, w.records...)
	}
	return records
}

// lives lists a framework's executors, and those that have ended but have
// tasks, which come first: their ids may have been taken again.
func (f *framework) lives() []*executor {
	seen := map[*executor]bool{}
	for _, e := range f.executors {
		seen[e] = true
	}
	for _, t := range f.tasks {
		seen[t.executor] = true
	}
	list := make([]*executor, 0, len(seen))
	for e := range seen {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *executor) int {
		return cmp.Or(-cmp.Compare(a.phase, b.phase), cmp.Compare(a.container, b.container))
	})
	return list
}

func (m *Machine) appendLife(records []*cluster.JournalRecord, e *executor) []*cluster.JournalRecord {
	records = append(records, executorRecord(e))
	seen := map[*launch]bool{}
	for _, t := range e.inOrder() {
		if l := t.launch; !seen[l] {
			seen[l] = true
			records = append(records, launchRecord(l.remaining()))
		}
		records = m.appendHistory(records, t)
	}
	if e.phase == view.Terminated {
		records = append(records, goneRecord(e))
	}
	return records
}

// remaining is the launch without the tasks that are over and forgotten.
func (l *launch) remaining() *launch {
	r := &launch{group: l.group}
	for _, t := range l.tasks {
		if t.executor.tasks[t.id()] == t {
			r.tasks = append(r.tasks, t)
		}
	}
	return r
}

// appendHistory has a task's acknowledged news first, then the rest.
func (m *Machine) appendHistory(records []*cluster.JournalRecord, t *task) []*cluster.JournalRecord {
	pending := m.streams.Pending(t.key())
	for _, u := range t.statuses {
		isPending := slices.ContainsFunc(pending, func(p *mesos.TaskStatus) bool { return string(p.GetUuid()) == string(u.GetUuid()) })
		if !isPending {
			records = append(records, news{t.key(), u}.record(), acknowledgedRecord(t.key(), u.GetUuid()))
		}
	}
	return m.appendPending(records, t.key())
}

func (m *Machine) appendPending(records []*cluster.JournalRecord, k updates.Key) []*cluster.JournalRecord {
	for _, u := range m.streams.Pending(k) {
		records = append(records, news{k, u}.record())
	}
	return records
}
