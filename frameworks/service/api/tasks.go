package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/carrier"
	"troupe/messages/mesos"
)

func (s *Server) aboutTasks() map[resource]map[string]handler {
	return map[resource]map[string]handler{
		tasks:       {http.MethodGet: listTasks},
		tasksDelete: {http.MethodPost: killListed},
		appTasks:    {http.MethodGet: listAppTasks, http.MethodDelete: killOfApp},
		appTask:     {http.MethodDelete: killOne},
	}
}

// listTasks answers GET /v2/tasks, as JSON or as text.
func listTasks(c *call) error {
	wanted, err := c.taskFilter()
	if err != nil {
		return err
	}
	apps := c.s.Board.Apps()
	if c.wantsText() {
		return c.answerText(http.StatusOK, "text/plain; charset=utf-8", endpoints(apps))
	}
	list := []wire.Task{}
	for _, v := range apps {
		for _, i := range v.Instances {
			if i.Task != "" && wanted(i) {
				list = append(list, task(v, i))
			}
		}
	}
	return c.answer(http.StatusOK, wire.TasksAnswer{Tasks: list})
}

// taskFilter reads the parameter status: running or staging.
func (c *call) taskFilter() (func(*state.Instance) bool, error) {
	var states []mesos.TaskState
	for _, name := range c.list("status") {
		switch strings.ToLower(name) {
		case "running":
			states = append(states, mesos.TaskState_TASK_RUNNING)
		case "staging":
			states = append(states, mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING)
		default:
			return nil, refuse(http.StatusUnprocessableEntity, "The parameter status is %q: expecting running or staging", shortened(name))
		}
	}
	return func(i *state.Instance) bool { return states == nil || slices.Contains(states, i.State) }, nil
}

// wantsText tells whether a client takes a text but no JSON.
func (c *call) wantsText() bool {
	accept := c.r.Header.Values("Accept")
	return !carrier.Accepts(accept, "application/json") && carrier.Accepts(accept, "text/plain")
}

func listAppTasks(c *call) error {
	v, err := c.appView()
	if err != nil {
		return err
	}
	if c.wantsText() {
		return c.answerText(http.StatusOK, "text/plain; charset=utf-8", endpoints([]*state.AppView{v}))
	}
	return c.answer(http.StatusOK, wire.TasksAnswer{Tasks: tasksOf(v)})
}

// appView is the app that a request names, with what became of it.
func (c *call) appView() (*state.AppView, error) {
	a := c.s.Board.Root().App(c.id)
	if a == nil {
		return nil, noApp(c.id)
	}
	if v := c.s.Board.App(c.id); v != nil {
		return v, nil
	}
	return &state.AppView{App: a}, nil
}

// endpoints are where apps are reached, a line for each service port: the flat
// path, the port, and host:port of each running task, with tabs between.
func endpoints(apps []*state.AppView) string {
	var b strings.Builder
	for _, v := range apps {
		ports := v.App.ServicePorts()
		for n, port := range ports {
			fmt.Fprintf(&b, "%s\t%d\t", v.App.ID.Flat(), port)
			writeHosts(&b, v, n)
		}
		if len(ports) == 0 {
			fmt.Fprintf(&b, "%s\t \t", v.App.ID.Flat())
			writeHosts(&b, v, -1)
		}
	}
	return b.String()
}

// writeHosts writes where the port n of each running task is; only hosts, if it
// has none.
func writeHosts(b *strings.Builder, v *state.AppView, n int) {
	for _, i := range v.Instances {
		switch {
		case i.State != mesos.TaskState_TASK_RUNNING:
			continue
		case n >= 0 && n < len(i.Ports):
			b.WriteString(i.Host.Hostname + ":" + strconv.Itoa(i.Ports[n]) + "\t")
		case n < 0:
			b.WriteString(i.Host.Hostname + "\t")
		}
	}
	b.WriteString("\n")
}

// killing are the parameters of what ends tasks.
type killing struct{ scale, wipe, force bool }

func (c *call) killing() (killing, error) {
	given, err := c.flags("scale", "wipe", "force")
	if err != nil {
		return killing{}, err
	}
	k := killing{scale: given[0], wipe: given[1], force: given[2]}
	if k.scale && k.wipe {
		return k, refuse(http.StatusBadRequest, "You cannot use scale and wipe at the same time.")
	}
	return k, nil
}

func (c *call) kill(k killing, ids []string) (state.Answer, error) {
	return c.do(func(n uint64) state.Input {
		return state.KillTasks{Request: n, Tasks: ids, Scale: k.scale, Wipe: k.wipe, Force: k.force}
	})
}

// killListed answers POST /v2/tasks/delete; ids that are not known are passed over.
func killListed(c *call) error {
	k, err := c.killing()
	if err != nil {
		return err
	}
	var body struct {
		IDs []string `json:"ids"`
	}
	if err := c.read(func(data []byte) error { return decode(data, &body) }); err != nil {
		return err
	}
	return c.killMany(k, body.IDs)
}

// decode reads a small body.
func decode(data []byte, to any) error {
	if err := json.Unmarshal(data, to); err != nil {
		return &wire.UnreadableError{Text: shortened(err.Error())}
	}
	return nil
}

// killMany ends tasks, and answers with those there are, or with the deployment
// that leaves its apps with so many fewer.
func (c *call) killMany(k killing, ids []string) error {
	before := c.known(ids)
	answer, err := c.kill(k, ids)
	if err != nil {
		return err
	}
	if k.scale {
		return c.result(http.StatusOK, answer)
	}
	list := []wire.Task{}
	for _, i := range answer.Instances {
		list = append(list, c.taskOf(before, i))
	}
	c.deployment(answer)
	return c.answer(http.StatusOK, wire.TasksAnswer{Tasks: list})
}

// known are the apps of tasks.
func (c *call) known(ids []string) map[app.Path]*state.AppView {
	views := map[app.Path]*state.AppView{}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	for _, v := range c.s.Board.Apps() {
		for _, i := range v.Instances {
			if wanted[i.Task] {
				views[v.App.ID] = v
				break
			}
		}
	}
	return views
}

// taskOf is an instance of one of some apps; as good as possible of one of another.
func (c *call) taskOf(views map[app.Path]*state.AppView, i *state.Instance) wire.Task {
	v := views[i.App]
	if v == nil {
		v = c.s.Board.App(i.App)
	}
	if v == nil {
		v = &state.AppView{App: &app.App{ID: i.App}}
	}
	return task(v, i)
}

// killOfApp answers DELETE of an app's tasks, of all or of those on a host.
func killOfApp(c *call) error {
	k, err := c.killing()
	if err != nil {
		return err
	}
	v, err := c.appView()
	if err != nil {
		return err
	}
	host := c.text("host")
	ids := []string{}
	for _, i := range v.Instances {
		if i.Task != "" && (host == "" || host == "*" || host == i.Host.Hostname) {
			ids = append(ids, i.Task)
		}
	}
	return c.killMany(k, ids)
}

// killOne answers DELETE of a task. Clients make the path of an app from the id of
// a task, and not always the right one: when there is no such app, the id counts.
func killOne(c *call) error {
	k, err := c.killing()
	if err != nil {
		return err
	}
	views := c.known([]string{c.part})
	if c.s.Board.Root().App(c.id) != nil && views[c.id] == nil || len(views) == 0 {
		return refuse(http.StatusNotFound, "Task '%s' does not exist", shortened(c.part))
	}
	answer, err := c.kill(k, []string{c.part})
	switch {
	case err != nil:
		return err
	case len(answer.Instances) == 0:
		return refuse(http.StatusNotFound, "Task '%s' does not exist", shortened(c.part))
	case k.scale:
		return c.result(http.StatusOK, answer)
	}
	c.deployment(answer)
	return c.answer(http.StatusOK, wire.TaskAnswer{Task: c.taskOf(views, answer.Instances[0])})
}
