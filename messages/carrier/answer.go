package carrier

import (
	"errors"
	"net/http"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
)

// WriteMessage answers r with one message. After an error part of it may be sent:
// the handler should abort.
func WriteMessage(w http.ResponseWriter, r *http.Request, form Form, m proto.Message) error {
	w.Header().Set("Content-Type", form.String())
	body := NewBody(w, r)
	if form == JSON {
		return errors.Join(json.Write(body, m), body.Close())
	}
	data, err := form.Append(nil, m)
	if err != nil {
		return err
	}
	_, err = body.Write(data)
	return errors.Join(err, body.Close())
}
