package carrier

import (
	"errors"
	"net/http"
	"strings"
)

// Problem is why a request is not served, and what is answered to it.
type Problem struct {
	Status int // of HTTP, 400 to 599
	// Reason is the body: it names the header or field, and its value.
	Reason string
	// Allow is the header of a 405.
	Allow string
}

// Error implements error.
func (p *Problem) Error() string { return p.Reason }

// BadRequest is a 400.
func BadRequest(reason string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Reason: reason}
}

// Refuse answers a request that is not served: as the *Problem in err says,
// else with 500.
func Refuse(w http.ResponseWriter, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = &Problem{Status: http.StatusInternalServerError, Reason: err.Error()}
	}
	if p.Allow != "" {
		w.Header().Set("Allow", p.Allow)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, p.Reason, p.Status)
}

// maxShown bounds what of a header a reason repeats, in bytes.
const maxShown = 120

func shortened(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
