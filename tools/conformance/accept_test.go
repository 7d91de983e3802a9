package conformance

import (
	"bytes"
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/tools/mesosclient"
)

// Accept decides the form of every answer: JSON where that is allowed, then
// protobuf; in which form the call came does not matter.
func TestWhatIsAccepted(t *testing.T) {
	c := newCluster(t)
	const inJSON, inProtobuf = "application/json", "application/x-protobuf"
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("accepts"))
		silent := silent(t, c, f, "silent")
		listening := executorCall(executor.Call_SUBSCRIBE, f.FrameworkID, silent.ExecutorID)
		listening.Subscribe = &executor.Call_Subscribe{}
		for _, api := range []struct {
			address, path string
			call          proto.Message
		}{
			{c.master, mesosclient.SchedulerPath, subscription(describe("brief"))},
			{c.master, mesosclient.OperatorPath, &master.Call{Type: master.Call_GET_HEALTH.Enum()}},
			{c.master, mesosclient.OperatorPath, &master.Call{Type: master.Call_SUBSCRIBE.Enum()}},
			{c.agent, mesosclient.OperatorPath, &agent.Call{Type: agent.Call_GET_HEALTH.Enum()}},
			{c.agent, mesosclient.ExecutorPath, listening},
		} {
			body := encoded(t, enc, api.call)
			for accept, want := range map[string]string{
				"": inJSON, "*/*": inJSON, "application/*": inJSON, inJSON: inJSON, inProtobuf: inProtobuf,
				inProtobuf + ", " + inJSON:         inJSON,
				inProtobuf + ";q=0.9, text/html":   inProtobuf,
				inJSON + ";q=0, " + inProtobuf:     inProtobuf,
				"text/html, */*;q=0.1":             inJSON,
				"APPLICATION/X-PROTOBUF":           inProtobuf,
				inJSON + ";q=0, application/*;q=1": inProtobuf,
			} {
				if got := c.formOf(api.address, api.path, enc, body, accept); got != want {
					t.Errorf("%s%s with Accept %q: %q, want %q", api.address, api.path, accept, got, want)
				}
			}
		}
		f.teardown()
	})
}

// formOf is the media type of an answer, of which nothing more is read.
func (c *cluster) formOf(address, path string, enc mesosclient.Encoding, body, accept string) string {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+address+path, bytes.NewReader([]byte(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", enc.MediaType())
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		c.t.Error(err)
	}
	if response.StatusCode != http.StatusOK {
		c.t.Errorf("%s%s with Accept %q: %s", address, path, accept, response.Status)
	}
	return response.Header.Get("Content-Type")
}
