package scheduler_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	api "troupe/master/api/scheduler"
	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
	"troupe/tools/mesosclient"
)

// together is a body of calls, and its headers.
func together(t *testing.T, media, stream string, calls ...string) (body []byte, headers map[string]string) {
	t.Helper()
	for _, text := range calls {
		record := []byte(text)
		if media == carrier.Protobuf.String() {
			c := new(scheduler.Call)
			if err := json.Unmarshal(record, c); err != nil {
				t.Fatal(err)
			}
			var err error
			if record, err = proto.Marshal(c); err != nil {
				t.Fatal(err)
			}
		}
		body = recordio.Append(body, record)
	}
	return body, map[string]string{"Content-Type": carrier.Records, "Message-Content-Type": media, mesosclient.StreamID: stream}
}

// Calls that come together are carried out in order, and each is answered as if it
// had come alone.
func TestBatch(t *testing.T) {
	for _, media := range []string{"application/json", "application/x-protobuf"} {
		b := newBench(t, api.Options{})
		s := b.subscribe(mesosclient.JSON{}, info(""))
		call := func(rest string) string { return fmt.Sprintf(`{"framework_id":{"value":%q},%s}`, s.FrameworkID, rest) }
		body, headers := together(t, media, s.ID,
			call(`"type":"SUPPRESS"`), call(`"type":"UPDATE_FRAMEWORK","update_framework":{"framework_info":{"id":{"value":"`+s.FrameworkID+`"},"user":"v","name":"n"}}`),
			`{"framework_id":{"value":"x"},"type":"REVIVE"}`, call(`"type":"REVIVE"`), call(`"type":"TEARDOWN"`), call(`"type":"REVIVE"`))
		a := b.post(body, headers)
		if a.Status != http.StatusOK || a.Header.Get("Content-Type") != carrier.Records || a.Header.Get("Message-Content-Type") != media {
			t.Fatalf("%s", a)
		}
		var got []uint32
		for in := recordio.NewReader(bytes.NewReader(a.Body), 1<<20); ; {
			record, err := in.Next()
			if err != nil {
				break
			}
			r := new(scheduler.APIResult)
			if media == "application/json" {
				err = json.Unmarshal(record, r)
			} else {
				err = proto.Unmarshal(record, r)
			}
			if err != nil {
				t.Fatal(err)
			}
			if (r.Error != nil) != (r.GetStatusCode() >= 400) {
				t.Errorf("%v", r)
			}
			got = append(got, r.GetStatusCode())
		}
		// After the end of the framework nothing is known of it, or no longer of its
		// subscription.
		if want := []uint32{202, 400, 400, 202, 202}; len(got) != 6 || !slices.Equal(got[:5], want) || got[5] < 400 {
			t.Errorf("%s: %v, want %v and a refusal", media, got, want)
		}
		b.eventually("the stream has ended", func() bool {
			_, err := s.Event()
			return err != nil
		})
	}
}

// What cannot be carried out as a whole is refused as a whole.
func TestBatchesAreRefused(t *testing.T) {
	b := newBench(t, api.Options{Intake: &carrier.Intake{MaxBody: 20_000}})
	s := b.subscribe(mesosclient.JSON{}, info(""))
	revive := fmt.Sprintf(`{"framework_id":{"value":%q},"type":"REVIVE"}`, s.FrameworkID)
	for _, c := range []struct {
		name   string
		body   string
		header map[string]string
		status int
		says   string
	}{
		{"no form", "", map[string]string{"Message-Content-Type": ""}, 415, "Message-Content-Type"},
		{"another form", "", map[string]string{"Message-Content-Type": "text/plain"}, 415, "text/plain"},
		{"no records", "x", nil, 400, "records[0]: recordio"},
		{"half a record", "99\n{}", nil, 400, "records[0]: recordio: a record is over the limit"},
		{"no call", "2\n{}", nil, 400, "records[0]: Failed to validate scheduler::Call: call.type"},
		{"no JSON", "1\nx", nil, 400, "records[0]: mesos.v1.scheduler.Call"},
		{"the second", string(recordio.Append(recordio.Append(nil, []byte(revive)), []byte("[]"))), nil, 400, "records[1]"},
		{"SUBSCRIBE", string(recordio.Append(nil, []byte(`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`))), nil, 400, "records[0]: call.type: SUBSCRIBE"},
		{"too many", strings.Repeat("2\n{}", 1025), nil, 413, "more than 1024 records"},
		{"too large", strings.Repeat(" ", 20_001), nil, 413, "20000"},
		{"no subscription", string(recordio.Append(nil, []byte(revive))), map[string]string{mesosclient.StreamID: "x"}, 400, `"x": is no subscription of yours`},
	} {
		_, headers := together(t, "application/json", s.ID)
		for name, value := range c.header {
			headers[name] = value
		}
		if a := b.post([]byte(c.body), headers); a.Status != c.status || !strings.Contains(string(a.Body), c.says) {
			t.Errorf("%s: %s; want %d with %q", c.name, a, c.status, c.says)
		}
	}
	// None of it has happened, and the subscription is well.
	body, headers := together(t, "application/json", s.ID, revive)
	if a := b.post(body, headers); a.Status != http.StatusOK {
		t.Errorf("%s", a)
	}
}
