package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// changing are the routes from before the calls of operators that read a body,
// each with one that is taken.
var changing = []struct{ method, path, body string }{
	{"POST", "/quota", `{"role":"a","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`},
	{"PUT", "/weights", `[{"role":"a","weight":2}]`},
	{"POST", "/reservations", `{"id":"b","role":"ops","shares":[{"name":"cpus","percent":10}]}`},
	{"POST", "/maintenance/schedule", `{}`},
	{"POST", "/machine/down", `[{"hostname":"h"}]`},
	{"POST", "/machine/up", `[{"hostname":"h"}]`},
	{"POST", "/reserve", "slaveId=S&resources=[" + oneDisk + "]"},
	{"POST", "/unreserve", "slaveId=S&resources=[" + oneDisk + "]"},
	{"POST", "/create-volumes", "slaveId=S&volumes=[" + oneDisk + "]"},
	{"POST", "/destroy-volumes", "slaveId=S&volumes=[" + oneDisk + "]"},
	{"POST", "/teardown", "frameworkId=F"},
}

func squeezed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Bodies of every route that reads one are bounded, and checked, as those of
// calls are.
func TestBodiesOfTheOlderRoutes(t *testing.T) {
	var asked proto.Message
	mux := http.NewServeMux()
	mountCalls(t, mux, remembering(&asked, &cluster.OperatorReply{}))
	bomb := squeezed(t, strings.Repeat(" ", carrier.DefaultMaxBody+1))
	for _, route := range changing {
		for name, c := range map[string]struct {
			encoding string
			body     []byte
			length   int64
			status   int
			says     string
		}{
			"said to be too large":   {"", nil, carrier.DefaultMaxBody + 1, 413, "limit"},
			"too large, in gzip":     {"gzip", bomb, int64(len(bomb)), 413, "limit"},
			"too large, and chunked": {"", bytes.Repeat([]byte(" "), carrier.DefaultMaxBody+1), -1, 413, "limit"},
			"of too many objects":    {"", bytes.Repeat([]byte("{"), 2<<20), -1, 413, "too many"},
			"of an unknown encoding": {"br", []byte(route.body), int64(len(route.body)), 415, "Content-Encoding"},
			"not in UTF-8":           {"", []byte(route.body + "\xff"), -1, 400, "UTF-8"},
			"with half a form":       {"", []byte("frameworkId=%f"), -1, 400, ""},
			"not in UTF-8, escaped":  {"", []byte("frameworkId=%ff&slaveId=%ff&resources=%ff&volumes=%ff"), -1, 400, ""},
			"in gzip":                {"gzip", squeezed(t, route.body), -1, 0, ""},
			"fine":                   {"", []byte(route.body), int64(len(route.body)), 0, ""},
		} {
			asked = nil
			r := httptest.NewRequest(route.method, "/master"+route.path, bytes.NewReader(c.body))
			r.ContentLength = c.length
			r.Header.Set("Content-Encoding", c.encoding)
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, r)
			taken := rec.Code == http.StatusOK || rec.Code == http.StatusAccepted
			if taken != (c.status == 0) || taken != (asked != nil) || !taken && rec.Code != c.status || !strings.Contains(rec.Body.String(), c.says) {
				t.Errorf("%s %s, %s: %d %.200s; the master is asked %.80v", route.method, route.path, name, rec.Code, rec.Body, asked)
			}
		}
	}
}

// A schedule of as many machines as the largest clusters have fits.
func TestScheduleOfManyMachines(t *testing.T) {
	const machines = 50_000
	var ids strings.Builder
	for i := range machines {
		if i > 0 {
			ids.WriteByte(',')
		}
		fmt.Fprintf(&ids, `{"hostname":"machine%d.rack%d.example.org","ip":"10.%d.%d.%d"}`, i, i/40, i>>16, i>>8&255, i&255)
	}
	schedule := `{"windows":[{"machine_ids":[` + ids.String() + `],"unavailability":{"start":{"nanoseconds":7}}}]}`
	h, _ := ruled(t)
	for path, body := range map[string]string{
		"/maintenance/schedule": schedule,
		"/api/v1":               `{"type":"UPDATE_MAINTENANCE_SCHEDULE","update_maintenance_schedule":{"schedule":` + schedule + `}}`,
	} {
		if rec := send(t, h, http.MethodPost, path, body); rec.Code != http.StatusOK {
			t.Errorf("%s: %d bytes are answered %d %.200s", path, len(body), rec.Code, rec.Body)
		}
	}
	if shown := send(t, h, http.MethodGet, "/maintenance/schedule", "").Body.String(); strings.Count(shown, `"hostname"`) != machines {
		t.Errorf("shown are %d of %d machines", strings.Count(shown, `"hostname"`), machines)
	}
}

// What no store might have room for is refused, and the master goes on.
func TestSettingsThatAreTooLarge(t *testing.T) {
	long := strings.Repeat("x", registry.MaxRecord)
	h, c := ruled(t)
	for _, step := range []struct{ method, path, body string }{
		{"POST", "/quota", `{"role":"a","force":true,"guarantee":[{"name":"` + long + `","type":"SCALAR","scalar":{"value":1}}]}`},
		{"POST", "/reservations", `{"id":"b","role":"ops","shares":[{"name":"` + long + `","percent":10}]}`},
		{"POST", "/maintenance/schedule", `{"windows":[{"machine_ids":[{"hostname":"` + long + `"}],"unavailability":{"start":{"nanoseconds":7}}}]}`},
	} {
		rec := send(t, h, step.method, step.path, step.body)
		if rec.Code != http.StatusBadRequest && rec.Code != http.StatusConflict || rec.Body.Len() == 0 || rec.Body.Len() > 1000 {
			t.Errorf("%s: %d %.300s (%d bytes)", step.path, rec.Code, rec.Body, rec.Body.Len())
		}
	}
	c.receive(subscriber, &scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), FrameworkId: frameworkID(0), UpdateFramework: &scheduler.Call_UpdateFramework{
		FrameworkInfo: &mesos.FrameworkInfo{Id: frameworkID(0), User: proto.String("u"), Name: &long, Roles: []string{"eng/web", "ops"}},
	}})
	if rec := send(t, h, http.MethodPut, "/weights", `[{"role":"a","weight":2}]`); rec.Code != http.StatusOK {
		t.Errorf("afterwards: %d %s", rec.Code, rec.Body)
	}
}
