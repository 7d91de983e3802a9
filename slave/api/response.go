package api

import (
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos/agent"
)

// writeResponse answers a call.
func writeResponse(w http.ResponseWriter, r *http.Request, form carrier.Form, call agent.Call_Type, response *agent.Response) error {
	response.Type = agent.Response_Type(agent.Response_Type_value[call.String()]).Enum()
	if form == carrier.Protobuf {
		return carrier.WriteMessage(w, r, form, response)
	}
	w.Header().Set("Content-Type", form.String())
	body := carrier.NewBody(w, r)
	out := json.NewWriter(body)
	writeShowing(out, response.ProtoReflect())
	if out.Flush() != nil || body.Close() != nil {
		panic(http.ErrAbortHandler) // the client is gone, or must see that it lacks the end
	}
	return nil
}

// showing are the messages whose lists Mesos writes them in JSON even
// when they are empty, and clients read them without asking.
var showing = func() map[protoreflect.FullName]bool {
	names := map[protoreflect.FullName]bool{}
	for _, m := range []proto.Message{
		&agent.Response{}, &agent.Response_GetState{}, &agent.Response_GetTasks{},
		&agent.Response_GetExecutors{}, &agent.Response_GetFrameworks{},
	} {
		names[m.ProtoReflect().Descriptor().FullName()] = true
	}
	return names
}()

// writeShowing writes a message with the lists that it must show.
func writeShowing(w *json.Writer, m protoreflect.Message) {
	if !showing[m.Descriptor().FullName()] {
		w.Message(m.Interface())
		return
	}
	w.BeginObject()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		switch d := fields.Get(i); {
		case d.IsList():
			w.Key(string(d.Name()))
			w.BeginArray()
			for list, at := m.Get(d).List(), 0; at < list.Len(); at++ {
				w.Message(list.Get(at).Message().Interface())
			}
			w.EndArray()
		case m.Has(d) && d.Message() != nil:
			w.Key(string(d.Name()))
			writeShowing(w, m.Get(d).Message())
		case m.Has(d):
			w.Field(string(d.Name()), string(d.Enum().Values().ByNumber(m.Get(d).Enum()).Name()))
		}
	}
	w.EndObject()
}
