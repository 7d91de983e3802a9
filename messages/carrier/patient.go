package carrier

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Patient writes to a client that has time for each piece, but not for ever:
// one that takes nothing would hold a snapshot.
type Patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// NewPatient returns a Patient to w, whose Write fails when the client takes
// nothing for half a minute.
func NewPatient(w http.ResponseWriter) Patient { return Patient{w, http.NewResponseController(w)} }

// Write implements io.Writer.
func (p Patient) Write(b []byte) (int, error) {
	if err := p.until(time.Now().Add(DefaultPatience + time.Duration(len(b)/slowest)*time.Second)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// Rest ends the patience: the connection may serve other requests.
func (p Patient) Rest() error { return p.until(time.Time{}) }

func (p Patient) until(t time.Time) error {
	if err := p.control.SetWriteDeadline(t); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
