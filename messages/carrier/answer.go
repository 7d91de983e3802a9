package carrier

import (
	"net/http"
	"strconv"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
)

// WriteMessage answers a request with one message. After an error of the client
// part of it may be sent: the handler should abort.
func WriteMessage(w http.ResponseWriter, status int, form Form, m proto.Message) error {
	if form == JSON {
		w.Header().Set("Content-Type", mediaJSON)
		w.WriteHeader(status)
		return json.Write(w, m)
	}
	body, err := form.Append(nil, m)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaProtobuf)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}
