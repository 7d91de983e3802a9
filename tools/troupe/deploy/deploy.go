// Package deploy has the service framework run what a configuration says: it asks
// what would change, has it changed, and follows the deployment to its end. It is
// for the commands of tools/troupe.
package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/dsl"
)

// Request is a change that the framework can plan and make: all of it in one
// deployment.
type Request struct {
	path string
	body any
	apps []string // their ids; none of a group
	// group is "" for apps.
	group string
	whole bool
}

// Of is what brings a framework to what a configuration says.
func Of(jobs *dsl.Jobs) Request {
	if jobs.Group != nil {
		return Request{path: "/v2/groups" + strings.TrimSuffix(jobs.Group.ID, "/"), body: json.RawMessage(jobs.Group.JSON), group: jobs.Group.ID}
	}
	r := Request{path: "/v2/apps", whole: true}
	var bodies []json.RawMessage
	for _, j := range jobs.Apps {
		r.apps = append(r.apps, j.ID)
		bodies = append(bodies, j.JSON)
	}
	r.body = bodies
	return r
}

// Back is what brings everything that a configuration names back to the version
// before the one it has.
func Back(ctx context.Context, c *client.Client, jobs *dsl.Jobs) (Request, error) {
	r := Of(jobs)
	if r.group != "" {
		list, err := c.GroupVersions(ctx, r.group)
		if err != nil {
			return r, err
		}
		before, err := second(r.group, list)
		r.body = map[string]string{"version": before}
		return r, err
	}
	var bodies []map[string]string
	for _, id := range r.apps {
		list, err := c.Versions(ctx, id)
		if err != nil {
			return r, err
		}
		before, err := second(id, list)
		if err != nil {
			return r, err
		}
		bodies = append(bodies, map[string]string{"id": id, "version": before})
	}
	r.body, r.whole = bodies, false
	return r, nil
}

func second(id string, versions []string) (string, error) {
	if len(versions) < 2 {
		return "", fmt.Errorf("%s: has no version before the one of now", id)
	}
	return versions[1], nil
}

// send sends the request; query is what the parameters are beside those of all.
func (r Request) send(ctx context.Context, c *client.Client, query url.Values, to any) error {
	if r.whole {
		query.Set("partialUpdate", "false")
	}
	_, err := c.Do(ctx, client.Request{Method: http.MethodPut, Path: cmp.Or(r.path, "/v2/groups"), Query: query, Body: r.body}, to)
	return err
}

// Plan tells what the request would change. Deployments in the way do not count:
// they are reported when it is made.
func (r Request) Plan(ctx context.Context, c *client.Client) (client.Plan, error) {
	var plan client.Plan
	err := r.send(ctx, c, url.Values{"dryRun": {"true"}, "force": {"true"}}, &plan)
	return plan, err
}

// Make has it changed, and returns the deployment; with force in spite of others,
// which end.
func (r Request) Make(ctx context.Context, c *client.Client, force bool) (string, error) {
	query := url.Values{}
	if force {
		query.Set("force", "true")
	}
	var result client.Result
	err := r.send(ctx, c, query, &result)
	return result.DeploymentID, err
}

// Empty tells whether a plan changes nothing.
func Empty(p client.Plan) bool {
	for _, c := range p.Changes {
		if len(c.Fields) > 0 {
			return false
		}
	}
	return len(p.Steps) == 0
}
