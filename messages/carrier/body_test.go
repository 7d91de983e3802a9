package carrier_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/mesos"
)

// A message is compressed in either form, when it is long and the client takes
// that.
func TestMessagesAreCompressed(t *testing.T) {
	long := &mesos.TaskID{Value: proto.String(strings.Repeat("t", 2000))}
	for _, form := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		for _, c := range []struct {
			accept string
			m      *mesos.TaskID
			small  bool
		}{
			{"gzip", long, true},
			{"deflate, gzip;q=0.5", long, true},
			{"", long, false},
			{"gzip;q=0", long, false},
			{"gzip", &mesos.TaskID{Value: proto.String("t")}, false},
		} {
			r := httptest.NewRequest(http.MethodPost, "/api/v1", nil)
			r.Header.Set("Accept-Encoding", c.accept)
			w := httptest.NewRecorder()
			if err := carrier.WriteMessage(w, r, form, c.m); err != nil {
				t.Fatal(err)
			}
			var body io.Reader = w.Body
			if small := w.Header().Get("Content-Encoding") == "gzip"; small != c.small {
				t.Errorf("%v, %q, %d bytes: compressed is %v", form, c.accept, len(c.m.GetValue()), small)
			} else if small {
				var err error
				if body, err = gzip.NewReader(body); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			m := new(mesos.TaskID)
			if err := carrier.Decode(form, got, m); err != nil || !proto.Equal(m, c.m) {
				t.Errorf("%v, %q: %.50q, %v", form, c.accept, got, err)
			}
			if w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%v", w.Header())
			}
		}
	}
}
