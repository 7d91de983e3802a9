package inspect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// Asker is the actor system that asks: *actors.System.
type Asker interface {
	Ask(ctx context.Context, to actors.PID, m proto.Message) (proto.Message, error)
}

// Fetch gets what the system of any actor of it answers to GET target, over the
// link to it; see Options.OverLinks. The body need not be closed. An error says
// that there is no answer; an answer of any status is one.
func Fetch(ctx context.Context, from Asker, of actors.PID, target string) (*http.Response, error) {
	of.Name = actorName
	reply, err := from.Ask(ctx, of, wrapperspb.String(target))
	if err != nil {
		return nil, err
	}
	text, ok := reply.(*wrapperspb.BytesValue)
	if !ok {
		return nil, fmt.Errorf("%s of %s: answered by %s", target, of, reply.ProtoReflect().Descriptor().FullName())
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text.GetValue())), nil)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", target, of, err)
	}
	return response, nil
}

const (
	// ReadPaths are forwarded to who may read.
	ReadPaths = "/metrics /health /actors"
	// profiles is where profiles are.
	profiles = "/debug/pprof/"
	// forwardLimit is how long a process may take: a profile over a minute, and
	// what it takes to make it.
	forwardLimit = 90 * time.Second
)

// shown are the types of content that are passed on as they are.
var shown = []string{"text/plain", "text/html", "application/json"}

// Forward answers a request with what the system of an actor answers at path,
// one of ReadPaths, or below /debug/pprof/. That system may be anybody's: nothing
// of what it says can act in a browser.
func Forward(w http.ResponseWriter, r *http.Request, from Asker, of actors.PID, path string) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method "+r.Method+": expecting GET", http.StatusMethodNotAllowed)
		return
	case !slices.Contains(strings.Fields(ReadPaths), path) && !strings.HasPrefix(path, profiles):
		http.Error(w, "there are "+strings.ReplaceAll(ReadPaths, " ", ", ")+" and "+profiles, http.StatusNotFound)
		return
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	ctx, cancel := context.WithTimeout(r.Context(), forwardLimit)
	defer cancel()
	response, err := Fetch(ctx, from, of, path)
	if err != nil {
		http.Error(w, "the process does not answer: "+err.Error(), statusOf(err))
		return
	}
	head := w.Header()
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(shown, kind) {
		kind = "application/octet-stream"
	} else {
		kind = response.Header.Get("Content-Type")
	}
	head.Set("Content-Type", kind)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", "sandbox")
	w.WriteHeader(statusShown(response.StatusCode))
	_, _ = io.Copy(w, response.Body) // a client that has gone needs no answer
}

// statusOf is 504 when nothing came, and 502 when nothing can.
func statusOf(err error) int {
	if errors.Is(err, actors.ErrTimeout) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// statusShown keeps a process from making the server say what it may not: to go
// elsewhere, or to say who one is.
func statusShown(status int) int {
	switch {
	case status == http.StatusOK, status == http.StatusServiceUnavailable, status == http.StatusNotFound, status == http.StatusBadRequest:
		return status
	}
	return http.StatusBadGateway
}
