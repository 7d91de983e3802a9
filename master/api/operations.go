package api

import (
	"net/http"
	"net/url"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/operator"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// forms are the endpoints that change an agent's resources, from before there
// were calls for that.
var forms = []struct {
	path, help string
	// What the list of resources is called.
	key string
	of  func(list []*mesos.Resource) *mesos.Offer_Operation
}{
	{"/reserve", "POST slaveId=…&resources=[…]: reserves resources", "resources", func(list []*mesos.Resource) *mesos.Offer_Operation {
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: list}}
	}},
	{"/unreserve", "POST slaveId=…&resources=[…]: ends reservations", "resources", func(list []*mesos.Resource) *mesos.Offer_Operation {
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: list}}
	}},
	{"/create-volumes", "POST slaveId=…&volumes=[…]: makes volumes of reserved disk", "volumes", func(list []*mesos.Resource) *mesos.Offer_Operation {
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: list}}
	}},
	{"/destroy-volumes", "POST slaveId=…&volumes=[…]: destroys volumes and their data", "volumes", func(list []*mesos.Resource) *mesos.Offer_Operation {
		return &mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: list}}
	}},
}

func mountForms(r Router, h *operator.Handler) {
	for _, f := range forms {
		both(r, f.path, f.help, byForm(h, func(form url.Values) (proto.Message, error) {
			list, err := json.UnmarshalArray[*mesos.Resource]([]byte(form.Get(f.key)))
			if err != nil {
				return nil, carrier.BadRequest(f.key + ": " + err.Error())
			}
			id := form.Get("slaveId")
			return operator.OperationRequest(&mesos.AgentID{Value: &id}, f.of(list)), nil
		}, "slaveId", f.key))
	}
	both(r, "/teardown", "POST frameworkId=…: ends a framework and all that it runs", byForm(h, func(form url.Values) (proto.Message, error) {
		id := form.Get("frameworkId")
		return &cluster.TeardownRequest{FrameworkId: &mesos.FrameworkID{Value: &id}}, nil
	}, "frameworkId"))
}

// byForm has the master do what request makes of a form that has the keys
// named; whatever kind of content the client calls it, as Mesos takes it.
func byForm(h *operator.Handler, request func(url.Values) (proto.Message, error), keys ...string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var asked proto.Message
		err := carrier.RequirePost(r)
		if err == nil {
			err = h.ReadText(rw, r, func(body []byte) error {
				form, err := formOf(string(body), keys)
				if err == nil {
					asked, err = request(form)
				}
				return err
			})
		}
		if err != nil {
			carrier.Refuse(rw, err)
			return
		}
		h.Change(rw, r, asked)
	})
}

// formOf reads a form that must have the keys named. The error is a
// *carrier.Problem.
func formOf(body string, keys []string) (url.Values, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, carrier.BadRequest("form: " + err.Error())
	}
	for _, key := range keys {
		switch value := form.Get(key); {
		case value == "":
			return nil, carrier.BadRequest(key + ": is absent")
		case !utf8.ValidString(value):
			return nil, carrier.BadRequest(key + ": is not UTF-8")
		}
	}
	return form, nil
}
