package api

import (
	"net/http"

	"troupe/master/api/operator"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// maxResources bounds the body of a form that lists resources, in bytes.
const maxResources = 1 << 20

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
		both(r, f.path, f.help, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !readForm(rw, r, maxResources, "slaveId", f.key) {
				return
			}
			list, err := json.UnmarshalArray[*mesos.Resource]([]byte(r.PostForm.Get(f.key)))
			if err != nil {
				http.Error(rw, f.key+": "+err.Error(), http.StatusBadRequest)
				return
			}
			id := r.PostForm.Get("slaveId")
			h.Change(rw, r, operator.OperationRequest(&mesos.AgentID{Value: &id}, f.of(list)))
		}))
	}
}

// readForm reads a form of a POST that must have the keys named; it is false
// when it answered already.
func readForm(rw http.ResponseWriter, r *http.Request, limit int64, keys ...string) bool {
	if r.Method != http.MethodPost {
		refuseMethod(rw, r, []string{http.MethodPost})
		return false
	}
	r.Body = http.MaxBytesReader(rw, r.Body, limit)
	if err := r.ParseForm(); err != nil {
		http.Error(rw, "form: "+err.Error(), http.StatusBadRequest)
		return false
	}
	for _, key := range keys {
		if r.PostForm.Get(key) == "" {
			http.Error(rw, key+": is absent", http.StatusBadRequest)
			return false
		}
	}
	return true
}
