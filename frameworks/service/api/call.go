package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"troupe/frameworks/service/wire"
	"troupe/messages/carrier"
)

// handler serves one method of one resource. What it returns is answered as
// refusal says; then it has answered nothing.
type handler func(*call) error

// call is a request on its way through a handler.
type call struct {
	route
	query
	w http.ResponseWriter
	r *http.Request
	s *Server
}

// read gives the JSON in a request's body to use, which must not keep it. A body
// without a media type is taken for JSON.
func (c *call) read(use func(body []byte) error) error {
	if given := c.r.Header.Get("Content-Type"); given != "" {
		media, _, err := mime.ParseMediaType(given)
		if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
			return refuse(http.StatusUnsupportedMediaType, "Content-Type %q: expecting application/json", shortened(given))
		}
	}
	return c.s.Intake.ReadText(c.w, c.r, use)
}

// answer sends v as JSON.
func (c *call) answer(status int, v any) error {
	data, err := wire.Encode(v)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.send(status, data)
	return nil
}

// answerText sends a text.
func (c *call) answerText(status int, media, text string) error {
	c.w.Header().Set("Content-Type", media)
	c.send(status, []byte(text))
	return nil
}

// send sends a body; a long one that is no refusal may be compressed. When the
// client is gone the connection is cut off.
func (c *call) send(status int, data []byte) {
	var err error
	if status == http.StatusOK {
		body := carrier.NewBody(c.w, c.r)
		_, err = body.Write(data)
		err = errors.Join(err, body.Close())
	} else {
		body := carrier.NewPatient(c.w)
		c.w.WriteHeader(status)
		_, err = body.Write(data)
		err = errors.Join(err, body.Rest())
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// refusal is the status and the body for an error.
func refusal(err error) (status int, body any) {
	var p *problem
	var unread *carrier.Problem
	if status, body, ok := wire.Refuse(err); ok {
		return status, body
	}
	if status, body, ok := refusalOfCore(err); ok {
		return status, body
	}
	switch {
	case errors.As(err, &p):
		return p.status, wire.Message{Message: p.text}
	case errors.As(err, &unread):
		return unread.Status, wire.Message{Message: unread.Reason}
	}
	return http.StatusInternalServerError, wire.Message{Message: err.Error()}
}

// fail answers an error.
func (c *call) fail(err error) {
	status, body := refusal(err)
	if status == http.StatusServiceUnavailable {
		c.w.Header().Set("Retry-After", "1")
	}
	if err := c.answer(status, body); err != nil {
		http.Error(c.w, fmt.Sprintf("answer: %v", err), http.StatusInternalServerError)
	}
}
