package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// world is a shell with a disk and a cluster, all of them under the test's hand.
type world struct {
	t       rapid.TB
	options Options
	now     time.Time
	m       *Machine
	lives   byte
	queue   []Effect // to be performed
	timer   time.Time
	disk    map[string][]byte
	cluster
	requests    uint64
	answers     map[uint64]Answer
	views       map[app.Path]*AppView
	root        *app.Group
	deployments []*DeploymentView
	events      []Event
	probes      map[string]StartProbes
	killing     func(KillTask) // sees a KillTask before it is performed
}

// cluster is a master with agents. It grants what it is asked.
type cluster struct {
	agents   map[string]*node
	tasks    map[string]*task // that were ever launched
	offers   map[string]string
	number   int
	quiet    bool // offers are suppressed
	revived  int
	declined []Decline
	fresh    []string // tasks that were launched since somebody looked
}

type node struct {
	free    resources.Resources
	offered string
	gone    bool
}

type task struct {
	id    string
	agent string
	info  *mesos.TaskInfo
	state mesos.TaskState
	kills int
	last  *mesos.TaskStatus // told again until it is acknowledged
	acked bool
}

func (k *task) over() bool { return terminal(k.state) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t rapid.TB, agents int, o Options) *world {
	o.Placement.Role = "web"
	w := &world{
		t: t, options: o, now: noon, disk: map[string][]byte{}, answers: map[uint64]Answer{}, killing: func(KillTask) {},
		cluster: cluster{agents: map[string]*node{}, tasks: map[string]*task{}, offers: map[string]string{}},
	}
	for n := range agents {
		w.agents[fmt.Sprintf("S%d", n)] = &node{free: resources.MustParse("cpus:100;mem:100000;disk:100000;ports:[31000-32000]")}
	}
	w.start()
	w.settle()
	return w
}

// start is a new process that has nothing but the disk.
func (w *world) start() {
	w.lives++
	w.options.Salt = [16]byte{w.lives, 15: w.lives}
	w.m, w.queue, w.timer = New(w.options), nil, time.Time{}
	w.views, w.root, w.deployments, w.probes = map[app.Path]*AppView{}, nil, nil, map[string]StartProbes{}
	w.quiet = false
	for _, n := range w.agents {
		n.offered = ""
	}
	clear(w.offers)
	var records []Change
	for _, key := range slices.Sorted(maps.Keys(w.disk)) {
		records = append(records, Change{key, w.disk[key]})
	}
	w.step(Loaded{records})
	w.step(Connected{})
	for _, id := range slices.Sorted(maps.Keys(w.tasks)) {
		if k := w.tasks[id]; k.last != nil && !k.acked {
			w.step(Status{k.last})
		}
	}
}

func (w *world) step(in Input) { w.queue = append(w.queue, w.m.Step(w.now, in)...) }

// perform performs the next effect.
func (w *world) perform() {
	e := w.queue[0]
	w.queue = w.queue[1:]
	switch e := e.(type) {
	case Persist:
		for _, c := range e.Changes {
			if w.disk[c.Key] = c.Value; c.Value == nil {
				delete(w.disk, c.Key)
			}
		}
		w.step(Persisted{Number: e.Number})
	case Accept:
		w.accept(e)
	case Decline:
		w.giveBack(e.Offer)
		w.declined = append(w.declined, e)
	case Suppress:
		w.quiet = true
	case Revive:
		w.quiet = false
		w.revived++
	case KillTask:
		w.kill(e)
	case Watch:
		w.watch(e)
	case Acknowledge:
		if k := w.tasks[e.Status.GetTaskId().GetValue()]; k != nil && k.last == e.Status {
			k.acked = true
		}
	case Answer:
		w.answers[e.Request] = e
	case SetTimer:
		w.timer = e.At
	case StartProbes:
		w.probes[e.Instance.Task] = e
	case StopProbes:
		delete(w.probes, e.Task)
	case Fail:
		w.t.Fatalf("the machine fails: %v", e.Err)
	default:
		w.see(e)
	}
}

// see is what the read side gets.
func (w *world) see(e Effect) {
	switch e := e.(type) {
	case PublishApp:
		if w.views[e.ID] = e.View; e.View == nil {
			delete(w.views, e.ID)
		}
	case PublishRoot:
		w.root = e.Root
		if e.History[len(e.History)-1] != e.Root {
			w.t.Fatal("the root is not the last of its history")
		}
	case PublishDeployments:
		w.deployments = e.Deployments
	case Event:
		w.events = append(w.events, e)
	}
}

func (w *world) giveBack(o *mesos.Offer) {
	if agent, valid := w.offers[o.GetId().GetValue()]; valid {
		delete(w.offers, o.GetId().GetValue())
		w.agents[agent].offered = ""
	}
}

// accept grants operations, or drops their tasks where the offer is void.
func (w *world) accept(e Accept) {
	agent, valid := w.offers[e.Offer.GetId().GetValue()]
	w.giveBack(e.Offer)
	for _, op := range e.Operations {
		for _, info := range op.GetLaunch().GetTaskInfos() {
			w.launch(e.Offer.GetAgentId().GetValue(), info, valid)
		}
		if valid {
			w.apply(w.agents[agent], op)
		}
	}
}

func (w *world) apply(n *node, op *mesos.Offer_Operation) {
	swap := func(list []*mesos.Resource, back bool, change func(*mesos.Resource)) {
		after, err := resources.New(list...)
		if err != nil {
			w.t.Fatal(err)
		}
		before := after.Convert(change)
		if back {
			before, after = after, before
		}
		if !n.free.Contains(before) {
			w.t.Fatalf("%s of %s, there is %s", op.GetType(), before, n.free)
		}
		n.free = n.free.Without(before).Add(after)
	}
	unreserved := func(r *mesos.Resource) { r.Reservations = r.Reservations[:len(r.Reservations)-1] }
	plain := func(r *mesos.Resource) { r.Disk = nil }
	switch op.GetType() {
	case mesos.Offer_Operation_LAUNCH:
		for _, info := range op.GetLaunch().GetTaskInfos() {
			used, err := resources.New(info.GetResources()...)
			if err != nil || !n.free.Contains(used) {
				w.t.Fatalf("task %s takes %s of %s, %v", info.GetTaskId().GetValue(), used, n.free, err)
			}
			n.free = n.free.Without(used)
		}
	case mesos.Offer_Operation_RESERVE:
		swap(op.GetReserve().GetResources(), false, unreserved)
	case mesos.Offer_Operation_UNRESERVE:
		swap(op.GetUnreserve().GetResources(), true, unreserved)
	case mesos.Offer_Operation_CREATE:
		swap(op.GetCreate().GetVolumes(), false, plain)
	case mesos.Offer_Operation_DESTROY:
		swap(op.GetDestroy().GetVolumes(), true, plain)
	}
}

func (w *world) launch(agent string, info *mesos.TaskInfo, valid bool) {
	id := info.GetTaskId().GetValue()
	if k := w.tasks[id]; k != nil {
		if k.info == nil {
			return // it was watched for, and must not begin any more
		}
		w.t.Fatalf("%s is launched twice", id)
	}
	if i := w.m.tasks[id]; i != nil && w.disk[instanceKey+i.ID] == nil {
		w.t.Fatalf("%s is launched and not on the disk", id)
	}
	w.fresh = append(w.fresh, id)
	w.tasks[id] = &task{id: id, agent: agent, info: info, state: mesos.TaskState_TASK_STAGING}
	if !valid {
		w.tell(id, mesos.TaskState_TASK_DROPPED, func(st *mesos.TaskStatus) { st.Reason = mesos.TaskStatus_REASON_INVALID_OFFERS.Enum() })
	}
}

func (w *world) kill(e KillTask) {
	w.killing(e)
	if k := w.tasks[e.Task]; k != nil {
		k.kills++
	}
}

func (w *world) watch(e Watch) {
	switch k := w.tasks[e.Task]; {
	case k == nil:
		w.tasks[e.Task] = &task{id: e.Task, agent: e.Agent, state: mesos.TaskState_TASK_DROPPED}
		w.tell(e.Task, mesos.TaskState_TASK_DROPPED, func(st *mesos.TaskStatus) { st.Reason = mesos.TaskStatus_REASON_RECONCILIATION.Enum() })
	case k.last != nil:
		w.step(Status{k.last})
	}
}

// tell has a task be in a state, and the machine hear of it.
func (w *world) tell(id string, s mesos.TaskState, more ...func(*mesos.TaskStatus)) {
	k := w.tasks[id]
	if k == nil {
		w.t.Fatalf("there is no task %s", id)
	}
	st := &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: &id}, AgentId: &mesos.AgentID{Value: &k.agent}, State: s.Enum(),
		Timestamp: new(float64(w.now.UnixMilli()) / 1000),
	}
	for _, f := range more {
		f(st)
	}
	if n := w.agents[k.agent]; !k.over() && terminal(s) && n != nil && k.info != nil && st.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS {
		used, err := resources.New(k.info.GetResources()...)
		if err != nil {
			w.t.Fatal(err)
		}
		n.free = n.free.Add(used)
	}
	k.state, k.last, k.acked = s, st, false
	w.step(Status{st})
}

// settle performs all there is, timers that are due included.
func (w *world) settle() {
	for {
		for len(w.queue) > 0 {
			w.perform()
		}
		if w.timer.IsZero() || w.timer.After(w.now) {
			return
		}
		w.timer = time.Time{}
		w.step(TimerFired{})
	}
}

// pass lets time pass; nothing that is due is missed.
func (w *world) pass(d time.Duration) {
	until := w.now.Add(d)
	w.settle()
	for !w.timer.IsZero() && !w.timer.After(until) {
		w.now = w.timer
		w.settle()
	}
	w.now = until
	w.settle()
}

// offer offers all that is free, of each agent once.
func (w *world) offer() {
	if w.quiet {
		return
	}
	var all []*mesos.Offer
	for _, id := range slices.Sorted(maps.Keys(w.agents)) {
		if o := w.offerOf(id); o != nil {
			all = append(all, o)
		}
	}
	if len(all) > 0 {
		w.step(Offers{all})
	}
}

func (w *world) offerOf(id string) *mesos.Offer {
	n := w.agents[id]
	if n.gone || n.offered != "" {
		return nil
	}
	w.number++
	n.offered = fmt.Sprintf("O%d", w.number)
	w.offers[n.offered] = id
	return &mesos.Offer{
		Id: &mesos.OfferID{Value: &n.offered}, AgentId: &mesos.AgentID{Value: &id}, Hostname: new("host-" + id),
		FrameworkId: &mesos.FrameworkID{Value: new("F")}, Resources: n.free.Proto(),
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: new("web")},
		Attributes: []*mesos.Attribute{{
			Name: new("rack"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: new("rack-" + id[len(id)-1:])},
		}},
	}
}

// live are the tasks of an app that have not ended, oldest first.
func (w *world) live(id app.Path) []string {
	var all []string
	for _, k := range w.tasks {
		if !k.over() && strings.HasPrefix(k.id, id.Flat()+".") {
			all = append(all, k.id)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		i, j := w.m.tasks[a], w.m.tasks[b]
		if i == nil || j == nil {
			return strings.Compare(a, b)
		}
		return i.age - j.age
	})
	return all
}

// obey is one round of a cluster in which all is well: what is offered is used,
// tasks run, and those that are killed end.
func (w *world) obey() {
	w.offer()
	w.settle()
	for _, id := range slices.Sorted(maps.Keys(w.tasks)) {
		k := w.tasks[id]
		switch {
		case k.over() || w.agents[k.agent].gone:
			continue
		case k.kills > 0:
			w.tell(id, mesos.TaskState_TASK_KILLED)
		case k.state != mesos.TaskState_TASK_RUNNING:
			w.tell(id, mesos.TaskState_TASK_RUNNING)
		}
		w.settle()
	}
}

// rounds obeys until nothing is to be done any more.
func (w *world) rounds() {
	for range 400 {
		w.obey()
		w.pass(2 * time.Second)
		if len(w.m.deployments) == 0 && !slices.ContainsFunc(w.m.all(), func(s *service) bool { return s.queue != nil || s.tally.Ending > 0 }) {
			return
		}
	}
	w.t.Fatalf("it does not come to rest: %s", w.describe())
}

// ask is a request with its answer, which there must be.
func (w *world) ask(make func(request uint64) Input) Answer {
	w.t.Helper()
	w.requests++
	w.step(make(w.requests))
	w.settle()
	a, answered := w.answers[w.requests]
	if !answered {
		w.t.Fatalf("request %d is not answered", w.requests)
	}
	return a
}

func (w *world) edit(force bool, edit func(*app.Group, app.Version) *app.Group) Answer {
	w.t.Helper()
	return w.ask(func(n uint64) Input {
		return Update{Request: n, Force: force, Edit: func(root *app.Group, at app.Version) (*app.Group, error) { return edit(root, at), nil }}
	})
}

// put has an app be in the root.
func (w *world) put(a *app.App) Answer {
	w.t.Helper()
	return w.edit(false, func(root *app.Group, _ app.Version) *app.Group { return root.With(a) })
}

func (w *world) mustPut(a *app.App) Answer {
	w.t.Helper()
	x := w.put(a)
	if x.Err != nil {
		w.t.Fatal(x.Err)
	}
	return x
}

func (w *world) remove(id app.Path, force bool) Answer {
	w.t.Helper()
	return w.edit(force, func(root *app.Group, at app.Version) *app.Group { return root.Without(id, at) })
}

// plain is an app without checks.
func plain(id app.Path, instances int, command string) *app.App {
	return &app.App{
		ID: id, Instances: instances, Process: app.Process{Command: command}, Resources: app.Resources{CPUs: 0.1, Mem: 32},
		Networks: []app.Network{{Mode: app.ModeHost}}, Upgrade: app.Upgrade{MinimumHealth: 1, MaximumOver: 1},
		Backoff: app.Backoff{First: time.Second, Factor: 2, Most: time.Minute}, Kill: app.Kill{Selection: app.YoungestFirst},
	}
}

// commands are what the tasks of an app run, counted: "3 x, 1 y".
func (w *world) commands(id app.Path) string {
	count := map[string]int{}
	for _, task := range w.live(id) {
		count[w.tasks[task].info.GetCommand().GetValue()]++
	}
	var all []string
	for _, c := range slices.Sorted(maps.Keys(count)) {
		all = append(all, fmt.Sprintf("%d %s", count[c], c))
	}
	return strings.Join(all, ", ")
}

func (w *world) describe() string {
	var all strings.Builder
	for _, d := range w.m.deployments {
		v := w.m.showDeployment(d)
		fmt.Fprintf(&all, "deployment %s step %d of %d: %+v\n", d.ID, d.Step, len(d.Steps), v.Actions)
	}
	for _, s := range w.m.all() {
		fmt.Fprintf(&all, "%s: %+v gone %t, waits %t", s.id, s.tally, s.gone, s.queue != nil)
		if s.queue != nil {
			fmt.Fprintf(&all, " (%d+%d, %s)", s.queue.start, s.queue.before, s.why())
		}
		for _, i := range s.instances {
			_, probed := w.probes[i.Task]
			fmt.Fprintf(&all, "\n  %s: %s ending %t ready %t outdated %t probed %+v (%t) health %+v", i.Task, i.State, i.Ending, i.Ready, i.outdated(), i.probed, probed, i.Health)
		}
		all.WriteByte('\n')
	}
	return all.String()
}
