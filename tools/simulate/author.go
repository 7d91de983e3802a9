package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// author is who writes a framework, with all that survives the processes of
// its scheduler: it wants so many tasks to have run.
type author struct {
	cluster  *simulation
	number   int
	kind     frameworkKind
	able     abilities
	lives    int // processes of its scheduler so far
	id       *mesos.FrameworkID
	launched int
	open     map[string]*mesos.AgentID // tasks that have not ended, and where
	// Operations with a name that have not ended, and where; and how many were
	// made up so far.
	operations map[string]*mesos.AgentID
	converted  int
	groups     int
	leaving    bool      // the framework is to end, as far as its author cares
	heard      time.Time // when a master said something last
}

// frameworkKind is how a framework likes its tasks.
type frameworkKind struct {
	roles          []string
	partitionAware bool
	style          style
	failover       time.Duration // how long it may be away
}

// style is what a framework launches.
type style int

const (
	commands style = iota
	pods
	customs
)

// week is so long that no framework is given up.
const week = 7 * 24 * time.Hour

var frameworkKinds = []frameworkKind{
	{[]string{"*"}, true, commands, week},
	{[]string{"eng"}, true, pods, week},
	{[]string{"eng/web"}, false, commands, week},
	{[]string{"ops", "eng"}, true, customs, week},
	{[]string{"ops"}, true, commands, 30 * time.Second},
	{[]string{"ops", "dev"}, false, pods, time.Minute},
}

// newAuthor makes a framework of some kind. Without faults all are of the
// first.
func newAuthor(c *simulation, number int) *author {
	kind := frameworkKinds[0]
	if c.options.FaultEvery > 0 || len(c.options.script) > 0 {
		kind = frameworkKinds[(int(c.seed%1000)+number)%len(frameworkKinds)]
	}
	able := abilities{}
	if c.options.FaultEvery > 0 {
		chance := seeded(c.seed, fmt.Sprint("author ", number))
		able = abilities{chance.IntN(2) == 0, chance.IntN(2) == 0}
	}
	return &author{cluster: c, number: number, kind: kind, able: able, open: make(map[string]*mesos.AgentID), operations: make(map[string]*mesos.AgentID), heard: c.net.begin}
}

func (a *author) info() *mesos.FrameworkInfo {
	info := &mesos.FrameworkInfo{
		User: proto.String("somebody"), Name: proto.String(fmt.Sprintf("framework %d", a.number)), Roles: a.kind.roles,
		FailoverTimeout: proto.Float64(a.kind.failover.Seconds()), Checkpoint: proto.Bool(true), Id: a.id,
		Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
	}
	info.Capabilities = append(info.Capabilities, a.able.capabilities()...)
	if a.kind.partitionAware {
		info.Capabilities = append(info.Capabilities,
			&mesos.FrameworkInfo_Capability{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()})
	}
	return info
}

// done tells that every task has been launched, and has ended, and so has every
// operation.
func (a *author) done() bool {
	return a.launched >= a.cluster.options.Tasks && len(a.open) == 0 && len(a.operations) == 0
}

// due is how many tasks should have been launched by now: they are spread over
// the time in which faults happen.
func (a *author) due() int {
	o := a.cluster.options
	elapsed := a.cluster.net.now.Sub(a.cluster.net.begin)
	if o.FaultEvery < 0 || elapsed >= o.Duration {
		return o.Tasks
	}
	return min(o.Tasks, 1+int(float64(o.Tasks)*float64(elapsed)/float64(o.Duration)*1.2))
}

// openTasks lists the tasks that have not ended, in order.
func (a *author) openTasks() []string { return slices.Sorted(maps.Keys(a.open)) }

// forget begins anew as another framework: the one there was is over, with all
// its tasks.
func (a *author) forget() {
	a.cluster.oracle.forgotten[a.id.GetValue()] = true
	a.id, a.open, a.leaving = nil, make(map[string]*mesos.AgentID), false
	clear(a.operations)
}

// What a task needs, an executor that runs several, and one of groups.
var (
	taskNeeds   = resources.MustParse("cpus:1;mem:128")
	customNeeds = resources.MustParse("cpus:0.1;mem:32")
	podNeeds    = resources.MustParse("cpus:0.1;mem:32;disk:1")
)

// launches makes an operation of what an offer has room for, and names its
// tasks; nil if there is no room. Of the volumes in the offer, some task uses
// each, or all tasks one that is shared, if that is wanted.
func (a *author) launches(o *mesos.Offer, limit int, volumes bool) (*mesos.Offer_Operation, []*mesos.TaskInfo) {
	offered, err := resources.New(o.Resources...)
	if err != nil {
		a.cluster.fail("offer %s: %v", o.Id.GetValue(), err)
		return nil, nil
	}
	role := o.GetAllocationInfo().GetRole()
	want, executor := a.wants(offered, role)
	if !offered.Contains(executor) {
		return nil, nil
	}
	offered = offered.Without(executor)
	var infos []*mesos.TaskInfo
	for len(infos) < limit && a.launched < a.due() {
		taken, rest, ok := offered.Take(want)
		if !ok {
			break
		}
		offered = rest
		if volumes {
			var volume resources.Resources
			volume, offered = volumeOf(offered)
			taken = taken.Add(volume)
		}
		infos = append(infos, a.newTask(o.AgentId, role, taken))
	}
	if len(infos) == 0 {
		return nil, nil
	}
	if a.kind.style == pods {
		return a.group(executor, infos), infos
	}
	for _, info := range infos {
		if a.kind.style == customs {
			info.Command, info.Executor = nil, a.executor("custom-"+strings.ReplaceAll(role, "/", "-"), mesos.ExecutorInfo_CUSTOM, executor)
		}
	}
	return &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
	}, infos
}

// volumeOf finds a volume in what is offered, and returns the rest: what is shared
// stays.
func volumeOf(offered resources.Resources) (volume, rest resources.Resources) {
	for e := range offered.All() {
		if e.Disk().GetPersistence() == nil {
			continue
		}
		volume = resources.Sum(e)
		if e.Shared() {
			return volume, offered
		}
		return volume, offered.Without(volume)
	}
	return volume, offered
}

// wants is what a task needs and, if it is to have one, its executor: of what is
// lent when some of that is offered, but for executors that stay.
func (a *author) wants(offered resources.Resources, role string) (task, executor resources.Resources) {
	task = taskNeeds
	switch a.kind.style {
	case pods:
		executor = podNeeds
	case customs:
		return task, customNeeds.Allocate(role)
	}
	if !lentOf(offered).IsEmpty() {
		task, executor = revocable(task), revocable(executor)
	}
	return task, executor.Allocate(role)
}

func (a *author) group(executor resources.Resources, infos []*mesos.TaskInfo) *mesos.Offer_Operation {
	a.groups++
	return &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(),
		LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
			Executor:  a.executor(fmt.Sprintf("pod%d", a.groups), mesos.ExecutorInfo_DEFAULT, executor),
			TaskGroup: &mesos.TaskGroupInfo{Tasks: infos},
		},
	}
}

func (a *author) executor(id string, kind mesos.ExecutorInfo_Type, needs resources.Resources) *mesos.ExecutorInfo {
	info := &mesos.ExecutorInfo{
		Type: kind.Enum(), ExecutorId: &mesos.ExecutorID{Value: &id}, FrameworkId: a.id, Resources: needs.Proto(),
	}
	if kind == mesos.ExecutorInfo_CUSTOM {
		info.Command = &mesos.CommandInfo{Value: proto.String("executor")}
	}
	return info
}

func (a *author) newTask(agent *mesos.AgentID, role string, needs resources.Resources) *mesos.TaskInfo {
	a.launched++
	id := fmt.Sprintf("f%d-t%d", a.number, a.launched)
	a.open[id] = agent
	info := &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: agent, Resources: needs.Proto(),
		Command: &mesos.CommandInfo{Value: proto.String("work")},
	}
	a.cluster.oracle.taskLaunched(a, role, info)
	return info
}
