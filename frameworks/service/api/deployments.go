package api

import (
	"net/http"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
)

func (s *Server) aboutDeployments() map[resource]map[string]handler {
	return map[resource]map[string]handler{
		deployments:       {http.MethodGet: listDeployments},
		oneDeployment:     {http.MethodGet: getDeployment, http.MethodDelete: deleteDeployment},
		deploymentPause:   {http.MethodPost: pauseDeployment},
		deploymentResume:  {http.MethodPost: resumeDeployment},
		deploymentPromote: {http.MethodPost: promoteDeployment},
		queue:             {http.MethodGet: listQueue},
		queueDelay:        {http.MethodDelete: resetDelay},
		queueWhy:          {http.MethodGet: tellWhy},
	}
}

// listDeployments answers with a bare list.
func listDeployments(c *call) error {
	list := []wire.Deployment{}
	for _, d := range c.s.Board.Deployments() {
		list = append(list, deployment(d))
	}
	return c.answer(http.StatusOK, list)
}

func deployment(d *state.DeploymentView) wire.Deployment {
	w := wire.NewDeployment(d.ID, d.Version, steps(d.Plan.Steps))
	w.AffectedApps = append([]app.Path{}, d.Plan.Affected...)
	w.CurrentStep = min(d.Step+1, max(len(d.Plan.Steps), 1))
	for _, a := range d.Actions {
		w.CurrentActions = append(w.CurrentActions, wire.CurrentAction{
			Action: actionNames[a.Kind], App: a.App, Results: readiness(a.Readiness),
		})
	}
	return w
}

// DeploymentAnswer is one deployment, with what strict clients of the list do not
// know: how it goes on.
type DeploymentAnswer struct {
	wire.Deployment
	Began    string     `json:"began"`
	Paused   bool       `json:"paused"`
	Progress []Progress `json:"progress"`
}

// Progress is that of one action of the current step; Waits is for people.
type Progress struct {
	App    app.Path `json:"app"`
	Action string   `json:"action"`
	Done   bool     `json:"done"`
	Waits  string   `json:"waits,omitempty"`
}

// getDeployment answers with one deployment, which Marathon does not have.
func getDeployment(c *call) error {
	d := c.s.deployment(c.part)
	if d == nil {
		return &state.NotFoundError{Kind: "deployment", Name: c.part}
	}
	answer := DeploymentAnswer{Deployment: deployment(d), Began: stamp(d.Began), Paused: d.Paused, Progress: []Progress{}}
	for _, a := range d.Actions {
		answer.Progress = append(answer.Progress, Progress{App: a.App, Action: actionNames[a.Kind], Done: a.Done, Waits: a.Waits})
	}
	return c.answer(http.StatusOK, answer)
}

func (s *Server) deployment(id string) *state.DeploymentView {
	for _, d := range s.Board.Deployments() {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// deleteDeployment takes back what a deployment changed; with force it just ends,
// and there is nothing to tell.
func deleteDeployment(c *call) error {
	force, err := c.flag("force", false)
	if err != nil {
		return err
	}
	answer, err := c.do(func(n uint64) state.Input {
		return state.Cancel{Request: n, Deployment: c.part, Force: force}
	})
	if err != nil {
		return err
	}
	if force {
		c.w.WriteHeader(http.StatusAccepted)
		return nil
	}
	return c.result(http.StatusOK, answer)
}

func pauseDeployment(c *call) error {
	return c.steer(func(n uint64) state.Input { return state.Pause{Request: n, Deployment: c.part} })
}

func resumeDeployment(c *call) error {
	return c.steer(func(n uint64) state.Input { return state.Resume{Request: n, Deployment: c.part} })
}

func promoteDeployment(c *call) error {
	return c.steer(func(n uint64) state.Input { return state.Promote{Request: n, Deployment: c.part} })
}

// steer changes how a deployment goes on, and answers with nothing.
func (c *call) steer(input func(n uint64) state.Input) error {
	if _, err := c.do(input); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
