package legacy

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"troupe/messages/carrier"
	"troupe/messages/json"
)

// Aliases are the paths under which clients ask for path.
func Aliases(path string) []string {
	if strings.HasSuffix(path, ".json") {
		return []string{path}
	}
	return []string{path, path + ".json"}
}

// Allowed refuses a request that does more than read. It tells whether the
// request goes on.
func Allowed(rw http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	rw.Header().Set("Allow", "GET, HEAD")
	http.Error(rw, "method "+r.Method+": expecting GET", http.StatusMethodNotAllowed)
	return false
}

// Serve answers a request that reads with the document that write writes,
// piece by piece. It panics with http.ErrAbortHandler when the client has gone
// before the end, which it must not take for the whole.
func Serve(rw http.ResponseWriter, r *http.Request, write func(*json.Writer)) {
	Deliver(rw, r, func(out io.Writer) error {
		w := json.NewWriter(out)
		write(w)
		return w.Flush()
	})
}

// Deliver is Serve of a document that write writes as bytes.
func Deliver(rw http.ResponseWriter, r *http.Request, write func(io.Writer) error) {
	if !Allowed(rw, r) {
		return
	}
	callback, ok := callbackOf(rw, r)
	if !ok {
		return
	}
	body := carrier.NewBody(rw, r)
	if document(body, callback, write) != nil || body.Close() != nil {
		panic(http.ErrAbortHandler)
	}
}

// document writes a document, as the argument of callback unless that is
// empty.
func document(out io.Writer, callback string, write func(io.Writer) error) error {
	if callback == "" {
		return write(out)
	}
	if _, err := io.WriteString(out, callback+"("); err != nil {
		return err
	}
	if err := write(out); err != nil {
		return err
	}
	_, err := io.WriteString(out, ");")
	return err
}

// functions are the names that may be called: one that holds anything else
// could make the answer a script of the client's own.
var functions = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$.\[\]]{0,127}$`)

// callbackOf is the function that ?jsonp= names, and sets what kind of content
// follows.
func callbackOf(rw http.ResponseWriter, r *http.Request) (callback string, ok bool) {
	callback = r.URL.Query().Get("jsonp")
	switch {
	case callback == "":
		rw.Header().Set("Content-Type", "application/json")
	case !functions.MatchString(callback):
		http.Error(rw, "jsonp="+strconv.Quote(callback)+" is no name of a function", http.StatusBadRequest)
		return "", false
	default:
		rw.Header().Set("Content-Type", "text/javascript")
		rw.Header().Set("X-Content-Type-Options", "nosniff")
	}
	return callback, true
}
