package walk

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"troupe/frameworks/service/client"
)

// until waits for something to hold.
func (w *walker) until(what string, holds func() bool) {
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	for !holds() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			w.wrong("it never came to be that %s", what)
			return
		}
	}
}

// groups makes one, changes it in the ways that there are, and goes back.
func (w *walker) groups() {
	id := w.path("g")
	body := fmt.Sprintf(`{"id":%q,"apps":[%s],"groups":[{"id":"sub","apps":[%s]}]}`, id, w.app("a", ""), w.app("b", `,"dependencies":["../a"]`))
	w.refused(422, "/apps(0)/cpus", "POST", "/v2/groups", `{"id":"`+id+`","apps":[{"id":"a","cmd":"x","cpus":-1}]}`)
	w.refused(422, "cyclic", "POST", "/v2/groups", fmt.Sprintf(`{"id":%q,"apps":[%s,%s]}`, id, w.app("a", `,"dependencies":["b"]`), w.app("b", `,"dependencies":["a"]`)))
	w.refused(400, "Invalid JSON", "PUT", "/v2/groups"+id, `{"apps":`)
	w.refused(404, "Group '"+id+"' does not exist", "GET", "/v2/groups"+id, "")
	w.refused(404, "Group '"+id+"' does not exist", "DELETE", "/v2/groups"+id, "")
	w.ask(201, "POST", "/v2/groups", body).header("Location").result()
	first := w.ask(200, "GET", "/v2/groups"+id, "").is("id", id).is("apps.0.id", id+"/a").is("groups.0.apps.0.id", id+"/sub/b").
		is("groups.0.apps.0.dependencies.0", id+"/a").text("version")
	w.refused(409, "already created", "POST", "/v2/groups", body)
	w.refused(409, "", "PUT", "/v2/groups"+id+"/a", `{"apps":[]}`)
	w.ask(200, "GET", "/v2/groups", "").is("id", "/").list("groups")
	w.ask(200, "GET", "/v2/groups"+id+"?embed=group.groups&embed=group.apps&embed=group.apps.tasks&embed=group.apps.counts&embed=group.apps.deployments", "").
		is("apps.0.tasksRunning", 1.0).is("apps.0.tasks.0.appId", id+"/a").is("groups.0.apps.0.tasksRunning", 1.0)
	if a := w.ask(200, "GET", "/v2/groups"+id+"?embed=group.apps", ""); a.at("groups") != nil {
		w.wrong("%s: there are groups", a.what)
	}
	if n := len(w.ask(200, "GET", "/v2/groups"+id+"/apps", "").list("*")); n != 2 {
		w.wrong("%d apps below %s", n, id)
	}

	w.ask(200, "PUT", "/v2/groups"+id+"?dryRun=true", `{"scaleBy":2}`).is("steps.0.actions.0.action", "ScaleApplication").is("version", nil)
	w.ask(200, "PUT", "/v2/groups"+id, `{"scaleBy":1.5}`).result()
	w.ask(200, "GET", "/v2/groups"+id, "").is("apps.0.instances", 2.0).is("groups.0.apps.0.instances", 2.0)
	w.refused(422, "", "PUT", "/v2/groups"+id, `{"scaleBy":2,"apps":[]}`)
	w.ask(200, "PUT", "/v2/groups"+id, `{"groups":[]}`).result() // of apps it says nothing
	w.ask(200, "GET", "/v2/groups"+id, "").is("apps.0.id", id+"/a").is("groups.0", nil)

	versions := w.ask(200, "GET", "/v2/groups"+id+"/versions", "").list("") // bare
	if len(versions) != 3 || versions[2] != first {
		w.wrong("versions of %s: %v, want three, the last %s", id, versions, first)
	}
	w.ask(200, "GET", "/v2/groups"+id+"/versions/"+first, "").is("id", id).is("groups.0.id", id+"/sub")
	w.refused(404, "", "GET", "/v2/groups"+id+"/versions/2001-02-03T04:05:06.000Z", "")
	w.ask(200, "GET", "/v2/groups/versions", "").list("")
	w.ask(200, "PUT", "/v2/groups"+id, `{"version":"`+first+`"}`).result()
	w.ask(200, "GET", "/v2/groups"+id, "").is("groups.0.apps.0.id", id+"/sub/b").is("apps.0.instances", 1.0)
	w.ask(200, "PATCH", "/v2/groups"+w.Group, `{"enforceRole":false}`).only("version", "deploymentId")
	w.ask(201, "PUT", "/v2/groups"+id+"/new", `{"apps":[]}`).result()
	w.ask(201, "POST", "/v2/groups"+id+"/posted", `{"apps":[]}`).result()
	w.ask(200, "PUT", "/v2/groups", `{"id":"`+id+`/new","apps":[]}`).result()
	w.ask(200, "PATCH", "/v2/groups", `{"id":"`+w.Group+`","enforceRole":false}`).result()
	w.refused(422, "", "PATCH", "/v2/groups"+id, `{"apps":[]}`)
	if w.Ours { // Marathon would do it
		w.ask(200, "DELETE", "/v2/groups?dryRun=true", "").list("steps")
	}
	w.ask(200, "DELETE", "/v2/groups"+id+"?force=true", "").result()
	w.refused(404, "", "GET", "/v2/groups"+id, "")
}

// stuck begins a deployment that cannot end: no agent is so large.
func (w *walker) stuck(id string) string {
	made := w.ask(201, "POST", "/v2/apps", fmt.Sprintf(`{"id":%q,"cmd":%q,"cpus":1000000,"instances":2}`, id, w.Command))
	return made.text("deployments.0.id")
}

// deployments looks at one that cannot end, takes it back, and ends it.
func (w *walker) deployments() {
	id := w.path("stuck")
	dep := w.stuck(id)
	a := w.ask(200, "GET", "/v2/deployments", "")
	found := false
	for i := range a.list("") {
		at := fmt.Sprintf("%d.", i)
		if a.at(at+"id") != dep {
			continue
		}
		found = true
		a.is(at+"affectedApps.0", id).is(at+"currentStep", 2.0).is(at+"totalSteps", 2.0).is(at+"steps.0.actions.0.action", "StartApplication").
			is(at+"steps.1.actions.0.action", "ScaleApplication").is(at+"currentActions.0.app", id).is(at+"affectedPods.0", nil)
		a.list(at + "affectedPods")
		a.list(at + "currentActions.0.readinessCheckResults")
		a.timestamp(at + "version")
	}
	if !found {
		w.wrong("%s: %s is not there: %.300s", a.what, dep, a.Body)
	}
	locked := w.refused(409, "App is locked by one or more deployments.", "PUT", "/v2/apps"+id, `{"instances":3}`)
	locked.is("deployments.0.id", dep)
	w.refused(409, "force=true", "POST", "/v2/apps"+id+"/restart", "")
	w.refused(409, "", "DELETE", "/v2/apps"+id+"?force=false", "")
	w.refused(409, "", "DELETE", "/v2/groups"+w.Group, "")
	w.refused(404, "DeploymentPlan none does not exist", "DELETE", "/v2/deployments/none", "")
	if w.Ours {
		w.ask(204, "POST", "/v2/deployments/"+dep+"/pause", "")
		w.ask(200, "GET", "/v2/deployments/"+dep, "").is("id", dep).is("paused", true).is("progress.0.app", id).timestamp("began")
		w.ask(204, "POST", "/v2/deployments/"+dep+"/resume", "")
		w.ask(200, "GET", "/v2/deployments/"+dep, "").is("paused", false)
		w.ask(204, "POST", "/v2/deployments/"+dep+"/promote", "")
		w.refused(404, "DeploymentPlan none does not exist", "POST", "/v2/deployments/none/pause", "")
		w.refused(404, "DeploymentPlan none does not exist", "GET", "/v2/deployments/none", "")
	}
	w.ask(200, "DELETE", "/v2/deployments/"+dep, "").result()
	w.refused(404, "", "GET", "/v2/apps"+id, "") // it was made by what was taken back
	dep = w.stuck(id)
	if a := w.ask(202, "DELETE", "/v2/deployments/"+dep+"?force=true", ""); len(a.Body) != 0 {
		w.wrong("%s: a body: %.300s", a.what, a.Body)
	}
	w.wait(dep)
	w.ask(200, "GET", "/v2/apps"+id, "") // what it changed stays
	w.ask(200, "DELETE", "/v2/apps"+id, "").result()
}

// queue looks at what waits.
func (w *walker) queue() {
	id := w.path("waits")
	w.refused(404, "not found in tasks queue", "DELETE", "/v2/queue"+id+"/delay", "")
	w.stuck(id)
	w.until(id+" is in the queue", func() bool {
		list, err := w.Client.Queue(w.ctx)
		for _, q := range list {
			if q.App.ID == id && q.Count == 2 {
				return err == nil
			}
		}
		return false
	})
	a := w.ask(200, "GET", "/v2/queue?embed=lastUnusedOffers", "").only("queue")
	for i := range a.list("queue") {
		at := fmt.Sprintf("queue.%d.", i)
		if a.at(at+"app.id") != id {
			continue
		}
		a.is(at+"delay.overdue", true).is(at+"delay.timeLeftSeconds", 0.0).timestamp(at + "since")
		a.list(at + "lastUnusedOffers")
		if n := len(a.list(at + "processedOffersSummary.rejectSummaryLastOffers")); n != 10 {
			w.wrong("%s: %d reasons", a.what, n)
		}
		a.list(at + "processedOffersSummary.rejectSummaryLaunchAttempt")
	}
	if w.Ours {
		why := w.ask(200, "GET", "/v2/queue"+id+"/why", "").is("app", id).is("waiting", 2.0)
		if len(why.list("reasons")) == 0 {
			w.wrong("%s: no reason", why.what)
		}
		w.refused(404, "", "GET", "/v2/queue"+w.path("none")+"/why", "")
	}
	w.ask(204, "DELETE", "/v2/queue"+id+"/delay", "")
	w.ask(200, "DELETE", "/v2/apps"+id, "").result()
	if strings.Contains(string(w.ask(200, "GET", "/v2/queue", "").Body), id) {
		w.wrong("%s is still in the queue", id)
	}
}

// events listens while an app comes and goes, by stream and by callback.
func (w *walker) events() {
	w.refused(406, "", "GET", "/v2/events", "", "Accept", "application/json")
	posted := make(chan string, 1000)
	at, stop, err := receive(posted)
	if err != nil {
		w.wrong("%v", err)
		return
	}
	defer stop()
	w.refused(422, "callbackUrl", "POST", "/v2/eventSubscriptions?callbackUrl=nonsense", "")
	w.ask(200, "POST", "/v2/eventSubscriptions?callbackUrl="+at, "").only("clientIp", "callbackUrl", "eventType", "timestamp").is("eventType", "subscribe_event")
	if a := w.ask(200, "GET", "/v2/eventSubscriptions", "").only("callbackUrls"); !strings.Contains(string(a.Body), at) {
		w.wrong("%s: %.300s", a.what, a.Body)
	}
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	stream, err := w.Client.Events(ctx)
	if err != nil {
		w.wrong("%v", err)
		return
	}
	defer stream.Close()
	id := w.path("told")
	w.wait(w.ask(201, "POST", "/v2/apps", w.app(id, "")).text("deployments.0.id"))
	w.hear(stream, "event_stream_attached", "api_post_event", "deployment_info", "status_update_event", "deployment_step_success", "deployment_success")
	w.ask(200, "DELETE", "/v2/apps"+id, "").result()
	w.hear(stream, "app_terminated_event", "deployment_success")
	for _, want := range []string{"subscribe_event", "deployment_success"} {
		w.posted(ctx, posted, want)
	}
	w.ask(200, "DELETE", "/v2/eventSubscriptions?callbackUrl="+at, "").is("eventType", "unsubscribe_event")
}

// receive is a callback that notes the types of what is posted to it.
func receive(posted chan<- string) (at string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen for callbacks: %w", err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct{ EventType string }
		if json.NewDecoder(r.Body).Decode(&e) == nil {
			select {
			case posted <- e.EventType:
			default: // nobody reads any more
			}
		}
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(listener) // until it is closed, which is its only error
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = srv.Close() // connections that break off are what is wanted
		<-ended
	}, nil
}

// hear waits for events; others may come between.
func (w *walker) hear(s *client.Stream, kinds ...string) {
	waiting := map[string]bool{}
	for _, kind := range kinds {
		waiting[kind] = true
	}
	for len(waiting) > 0 {
		e, err := s.Next()
		if err != nil {
			w.wrong("events: %v, while waiting for %v", err, waiting)
			return
		}
		var body struct{ EventType, Timestamp string }
		if err := json.Unmarshal(e.Data, &body); err != nil || body.EventType != e.Type || body.Timestamp == "" {
			w.wrong("event %s: %v in %.300s", e.Type, err, e.Data)
		}
		delete(waiting, e.Type)
	}
}

func (w *walker) posted(ctx context.Context, got <-chan string, want string) {
	for {
		select {
		case kind := <-got:
			if kind == want {
				return
			}
		case <-ctx.Done():
			w.wrong("no %s was posted to the callback", want)
			return
		}
	}
}
