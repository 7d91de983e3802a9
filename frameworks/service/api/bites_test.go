package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/client/walk"
)

// The walk finds what it is there to find: each of these servers has one thing
// wrong that has broken a client.
func TestWalkBites(t *testing.T) {
	for name, bend := range map[string]func(r *http.Request, rec *httptest.ResponseRecorder){
		"no wrapper": func(r *http.Request, rec *httptest.ResponseRecorder) {
			if body, wrapped := strings.CutPrefix(rec.Body.String(), `{"app":`); wrapped {
				rec.Body = bytes.NewBufferString(strings.TrimSuffix(body, "}"))
			}
		},
		"a key too many": func(_ *http.Request, rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(bytes.ReplaceAll(rec.Body.Bytes(), []byte(`"killSelection"`), []byte(`"paused":true,"killSelection"`)))
		},
		"errors as text": func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusNotFound {
				rec.Body = bytes.NewBufferString("not found")
			}
		},
		"all that is wrong is 400": func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusUnprocessableEntity {
				rec.Code = http.StatusBadRequest
			}
		},
		"no deployment in the header": func(_ *http.Request, rec *httptest.ResponseRecorder) {
			rec.Header().Del("Marathon-Deployment-Id")
		},
		"null for an empty list": func(_ *http.Request, rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(bytes.ReplaceAll(rec.Body.Bytes(), []byte(`"affectedPods":[]`), []byte(`"affectedPods":null`)))
		},
		"versions of groups in an object": func(r *http.Request, rec *httptest.ResponseRecorder) {
			if strings.HasSuffix(r.URL.Path, "/versions") && strings.HasPrefix(r.URL.Path, "/v2/groups") && rec.Code == http.StatusOK {
				rec.Body = bytes.NewBufferString(`{"versions":` + rec.Body.String() + "}")
			}
		},
		"unknown routes are 500": func(r *http.Request, rec *httptest.ResponseRecorder) {
			if r.URL.Path == "/v2/nothing" {
				rec.Code = http.StatusInternalServerError
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/events" {
					w.ServeHTTP(rw, r)
					return
				}
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, r)
				bend(r, rec)
				for name, values := range rec.Header() {
					rw.Header()[name] = values
				}
				rw.WriteHeader(rec.Code)
				rw.Write(rec.Body.Bytes()) //nolint:errcheck // the walk finds out
			}))
			defer srv.Close()
			c := client.New(srv.URL)
			c.HTTP.Transport = &http.Transport{DisableCompression: true}
			found := walk.Walk(t.Context(), walk.Options{Client: c, Group: "/walk", Command: "sleep 1000", Ours: true, Patience: time.Second})
			if len(found) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}
