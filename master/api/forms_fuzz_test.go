package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// FuzzForms: whatever comes as a form, in a path or in a query, there is an
// answer, which says what is wrong; nobody is asked for what is no text.
func FuzzForms(f *testing.F) {
	for _, s := range []string{
		"slaveId=S1&resources=[" + oneDisk + "]&volumes=[" + oneDisk + "]&frameworkId=F", "slaveId=&resources=[{}]", "frameworkId=%ff", "a=%zz;b", "%7b&&==",
		`slaveId=S&volumes=[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"persistence":{"id":"a"},"volume":{"mode":"RW","container_path":"p"}}}]`,
		`{"id":"b","role":"ops","shares":[{"name":"cpus","percent":10}]}`, `{"id":"a","role":"ops","shares":[{"name":"mem","amount":{"value":-5}}]}`,
		"h3:1", "../..", "\xff", "F-0", "resources=[[[[&slaveId=S",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, _ := ruled(t)
		mux := muxRouter{http.NewServeMux()}
		mux.Handle("/", h)
		change := func(address string) error {
			if address == "" || !utf8.ValidString(address) {
				t.Errorf("a master is changed: %q", address)
			}
			return errors.New("no such master")
		}
		MountMembership(mux, Membership{Add: change, Remove: change, Elsewhere: func(http.ResponseWriter, *http.Request) bool { return false }})
		MountExplain(mux, func(_ context.Context, m proto.Message) (proto.Message, error) {
			if id := m.(*cluster.ExplainOffers).GetFrameworkId().GetValue(); id == "" || !utf8.ValidString(id) {
				t.Errorf("explained is %q", id)
			}
			return &cluster.OffersExplained{Known: proto.Bool(len(text)%2 == 0)}, nil
		})
		in, as := url.PathEscape(text), url.QueryEscape(text)
		for _, target := range []string{
			"POST /reserve", "POST /unreserve", "POST /create-volumes", "POST /destroy-volumes", "POST /teardown", "POST /reservations",
			"DELETE /reservations/" + in, "DELETE /quota/" + in,
			"POST /masters/add?address=" + as, "POST /masters/remove?address=" + as, "GET /allocator/explain?framework=" + as,
		} {
			method, path, _ := strings.Cut(target, " ")
			rec := send(t, mux, method, path, text)
			moved := rec.Code == http.StatusTemporaryRedirect || rec.Code == http.StatusMovedPermanently // paths such as ..
			if rec.Code >= http.StatusInternalServerError || rec.Code >= http.StatusMultipleChoices && !moved && rec.Body.Len() == 0 {
				t.Errorf("%s %q: %d %s", target, text, rec.Code, rec.Body)
			}
		}
	})
}
