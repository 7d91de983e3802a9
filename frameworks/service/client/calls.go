package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Change says how a change is made.
type Change struct {
	Force bool // in spite of deployments, which end
	Whole bool // what an update of an app does not say returns to its default
	// Match is the version that the app or group must have; "" is any.
	Match string
}

func (o Change) request(method, path string, body any) Request {
	r := Request{Method: method, Path: path, Query: url.Values{}, Header: http.Header{}, Body: body}
	if o.Force {
		r.Query.Set("force", "true")
	}
	if o.Whole {
		r.Query.Set("partialUpdate", "false")
	}
	if o.Match != "" {
		r.Header.Set("If-Match", `"`+o.Match+`"`)
	}
	return r
}

// get asks for something.
func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var to T
	_, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: q}, &to)
	return to, err
}

// change asks for a change.
func (c *Client) change(ctx context.Context, r Request) (Result, error) {
	var to Result
	_, err := c.Do(ctx, r, &to)
	return to, err
}

// at is the path of something that an app or group has, with ids as people write
// them.
func at(kind, id string, rest ...string) string {
	return strings.Join(append([]string{"/v2", kind, strings.Trim(id, "/")}, rest...), "/")
}

// Ping returns nil if the framework answers.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.Do(ctx, Request{Method: http.MethodGet, Path: "/ping"}, nil)
	return err
}

// Leader is the host:port of who leads; an *Error with 404 while nobody does.
func (c *Client) Leader(ctx context.Context) (string, error) {
	answer, err := get[struct{ Leader string }](ctx, c, "/v2/leader", nil)
	return answer.Leader, err
}

// Apps are all apps that fit the filter, which are query parameters such as id, cmd,
// label and embed.
func (c *Client) Apps(ctx context.Context, filter url.Values) ([]App, error) {
	answer, err := get[struct{ Apps []App }](ctx, c, "/v2/apps", filter)
	return answer.Apps, err
}

// App is an app with its tasks.
func (c *Client) App(ctx context.Context, id string) (App, error) {
	answer, err := get[struct{ App App }](ctx, c, at("apps", id), nil)
	return answer.App, err
}

// Create makes an app that is not there. app is encoded as JSON.
func (c *Client) Create(ctx context.Context, app any, o Change) (App, error) {
	var made App
	_, err := c.Do(ctx, o.request(http.MethodPost, "/v2/apps", app), &made)
	return made, err
}

// Update changes an app, or makes one.
func (c *Client) Update(ctx context.Context, id string, app any, o Change) (Result, error) {
	return c.change(ctx, o.request(http.MethodPut, at("apps", id), app))
}

// Delete removes an app. Without Force, deployments are heeded.
func (c *Client) Delete(ctx context.Context, id string, o Change) (Result, error) {
	r := o.request(http.MethodDelete, at("apps", id), nil)
	r.Query.Set("force", fmt.Sprint(o.Force)) // which would be true
	return c.change(ctx, r)
}

// Restart replaces all instances of an app.
func (c *Client) Restart(ctx context.Context, id string, o Change) (Result, error) {
	return c.change(ctx, o.request(http.MethodPost, at("apps", id, "restart"), nil))
}

// Versions of an app, newest first.
func (c *Client) Versions(ctx context.Context, id string) ([]string, error) {
	answer, err := get[struct{ Versions []string }](ctx, c, at("apps", id, "versions"), nil)
	return answer.Versions, err
}

// Version is an app as it was.
func (c *Client) Version(ctx context.Context, id, version string) (App, error) {
	return get[App](ctx, c, at("apps", id, "versions", version), nil)
}

// Tasks of all apps.
func (c *Client) Tasks(ctx context.Context) ([]Task, error) {
	answer, err := get[struct{ Tasks []Task }](ctx, c, "/v2/tasks", nil)
	return answer.Tasks, err
}

// Kill ends tasks, and returns those there were; others are started for them.
func (c *Client) Kill(ctx context.Context, ids ...string) ([]Task, error) {
	var answer struct{ Tasks []Task }
	body := map[string][]string{"ids": append([]string{}, ids...)}
	_, err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/v2/tasks/delete", Body: body}, &answer)
	return answer.Tasks, err
}

// Group is a group with all that is in it; "/" is the root.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	return get[Group](ctx, c, at("groups", id), nil)
}

// PutGroup changes a group, or makes one.
func (c *Client) PutGroup(ctx context.Context, id string, group any, o Change) (Result, error) {
	return c.change(ctx, o.request(http.MethodPut, at("groups", id), group))
}

// PlanGroup tells what PutGroup would do.
func (c *Client) PlanGroup(ctx context.Context, id string, group any, o Change) (Plan, error) {
	var plan Plan
	r := o.request(http.MethodPut, at("groups", id), group)
	r.Query.Set("dryRun", "true")
	_, err := c.Do(ctx, r, &plan)
	return plan, err
}

// PlanApp tells what Update would do.
func (c *Client) PlanApp(ctx context.Context, id string, app any, o Change) (Plan, error) {
	var plan Plan
	r := o.request(http.MethodPut, at("apps", id), app)
	r.Query.Set("dryRun", "true")
	_, err := c.Do(ctx, r, &plan)
	return plan, err
}

// DeleteGroup removes a group with all that is in it.
func (c *Client) DeleteGroup(ctx context.Context, id string, o Change) (Result, error) {
	return c.change(ctx, o.request(http.MethodDelete, at("groups", id), nil))
}

// GroupVersions of a group, newest first.
func (c *Client) GroupVersions(ctx context.Context, id string) ([]string, error) {
	return get[[]string](ctx, c, at("groups", id, "versions"), nil)
}

// Deployments are all that are not done.
func (c *Client) Deployments(ctx context.Context) ([]Deployment, error) {
	return get[[]Deployment](ctx, c, "/v2/deployments", nil)
}

// Deployment is one that is not done, with how it goes on; an *Error with 404 once
// it is.
func (c *Client) Deployment(ctx context.Context, id string) (Deployment, error) {
	return get[Deployment](ctx, c, "/v2/deployments/"+id, nil)
}

// How often Wait asks: soon at first, since many deployments are done at once.
const (
	firstPoll = 10 * time.Millisecond
	slowPoll  = 500 * time.Millisecond
)

// Wait waits until a deployment is done, or has been ended.
func (c *Client) Wait(ctx context.Context, id string) error {
	for pause := firstPoll; ; pause = min(2*pause, slowPoll) {
		all, err := c.Deployments(ctx)
		if err != nil {
			return err
		}
		there := false
		for _, d := range all {
			there = there || d.ID == id
		}
		if !there {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("wait for deployment %s: %w", id, context.Cause(ctx))
		}
	}
}

// Rollback has another deployment take back what one changed.
func (c *Client) Rollback(ctx context.Context, id string) (Result, error) {
	return c.change(ctx, Request{Method: http.MethodDelete, Path: "/v2/deployments/" + id})
}

// Abort just ends a deployment: what it changed stays so.
func (c *Client) Abort(ctx context.Context, id string) error {
	_, err := c.Do(ctx, Change{Force: true}.request(http.MethodDelete, "/v2/deployments/"+id, nil), nil)
	return err
}

// Steer pauses, resumes or promotes a deployment.
func (c *Client) Steer(ctx context.Context, id, how string) error {
	_, err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/v2/deployments/" + id + "/" + how}, nil)
	return err
}

// Queue is what waits to be launched.
func (c *Client) Queue(ctx context.Context) ([]Queued, error) {
	answer, err := get[struct{ Queue []Queued }](ctx, c, "/v2/queue", nil)
	return answer.Queue, err
}

// ResetDelay has an app be launched at once, though it failed.
func (c *Client) ResetDelay(ctx context.Context, id string) error {
	_, err := c.Do(ctx, Request{Method: http.MethodDelete, Path: at("queue", id, "delay")}, nil)
	return err
}

// Why tells why an app is not as it is to be.
func (c *Client) Why(ctx context.Context, id string) (Why, error) {
	return get[Why](ctx, c, at("queue", id, "why"), nil)
}
