package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/operator"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/carrier/legacy"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/quota"
)

// setting is a route about what operators set for roles and machines.
type setting struct {
	path, help string
	// Writes what is set; nil when there is nothing to read.
	read func(w *json.Writer, s *view.Snapshot)
	// What a body, or the rest of the path, asks for, and by which method; nil
	// when nothing can be.
	method  string
	request func(body []byte, rest string) (proto.Message, error)
}

const schedulePath = "/maintenance/schedule"

var settings = []setting{
	{
		"/quota", "quotas of roles; POST sets the guarantee of one in the older form",
		func(w *json.Writer, s *view.Snapshot) { w.Message(operator.QuotaOf(s)) }, http.MethodPost,
		func(body []byte, _ string) (proto.Message, error) {
			r := new(quota.QuotaRequest)
			if err := json.Unmarshal(body, r); err != nil {
				return nil, err
			}
			return asMessage(operator.SetQuota(r))
		},
	},
	{
		"/quota/", "DELETE /quota/ROLE takes a quota away", nil, http.MethodDelete,
		func(_ []byte, role string) (proto.Message, error) { return operator.RemoveQuota(role), nil },
	},
	{"/weights", "weights of roles; PUT sets those that it names", writeWeights, http.MethodPut, weightsRequest},
	{
		"/reservations", "standing reservations; POST sets one", writeReservations, http.MethodPost,
		func(body []byte, _ string) (proto.Message, error) {
			r := new(cluster.StandingReservation)
			return operator.SetReservation(r), json.Unmarshal(body, r)
		},
	},
	{
		"/reservations/", "DELETE /reservations/ID removes a standing reservation", nil, http.MethodDelete,
		func(_ []byte, id string) (proto.Message, error) { return operator.RemoveReservation(id), nil },
	},
	{
		schedulePath, "the schedule of maintenance, of which ETag tells the version; POST replaces it, or with If-Match that version alone",
		func(w *json.Writer, s *view.Snapshot) { w.Message(s.Schedule()) }, http.MethodPost,
		func(body []byte, _ string) (proto.Message, error) {
			s := new(maintenance.Schedule)
			return operator.Schedule(s), json.Unmarshal(body, s)
		},
	},
	{
		"/maintenance/status", "machines in maintenance or about to be, and what frameworks say to it",
		func(w *json.Writer, s *view.Snapshot) { w.Message(s.Maintenance()) }, "", nil,
	},
	{
		"/machine/down", "POST a list of machines: their maintenance begins", nil, http.MethodPost,
		func(body []byte, _ string) (proto.Message, error) {
			ids, err := json.UnmarshalArray[*mesos.MachineID](body)
			return operator.MachinesDown(ids), err
		},
	},
	{
		"/machine/up", "POST a list of machines: their maintenance is over", nil, http.MethodPost,
		func(body []byte, _ string) (proto.Message, error) {
			ids, err := json.UnmarshalArray[*mesos.MachineID](body)
			return operator.MachinesUp(ids), err
		},
	},
}

// asMessage keeps a nil request from becoming a message that is not nil.
func asMessage[M proto.Message](m M, err error) (proto.Message, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

func writeWeights(w *json.Writer, s *view.Snapshot) {
	w.BeginArray()
	for _, weight := range operator.WeightsOf(s) {
		w.Message(weight)
	}
	w.EndArray()
}

func writeReservations(w *json.Writer, s *view.Snapshot) {
	w.BeginObject()
	w.Key("reservations")
	w.BeginArray()
	for _, id := range slices.Sorted(maps.Keys(s.Reservations)) {
		w.Message(s.Reservations[id])
	}
	w.EndArray()
	w.EndObject()
}

func weightsRequest(body []byte, _ string) (proto.Message, error) {
	list, err := json.UnmarshalArray[*mesos.WeightInfo](body)
	return operator.Weights(list), err
}

// mountSettings mounts what operators set, and what they read of it.
func mountSettings(r Router, v *View, h *operator.Handler) {
	for _, s := range settings {
		both(r, s.path, s.help, s.handler(v, h))
		if s.read != nil {
			both(r, s.path+".json", s.help, s.handler(v, h))
		}
	}
}

func (s setting) methods() []string {
	var list []string
	if s.read != nil {
		list = append(list, http.MethodGet, http.MethodHead)
	}
	if s.request != nil {
		list = append(list, s.method)
	}
	return list
}

func (s setting) handler(v *View, h *operator.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case !slices.Contains(s.methods(), r.Method):
			refuseMethod(rw, r, s.methods())
		case s.request == nil || r.Method != s.method:
			known := v.Snapshot()
			if s.path == schedulePath {
				rw.Header()["ETag"] = []string{`"` + known.ScheduleVersion() + `"`}
			}
			legacy.Serve(rw, r, func(w *json.Writer) { s.read(w, known) })
		default:
			request, err := s.requestOf(rw, r, h)
			if err != nil {
				carrier.Refuse(rw, err)
				return
			}
			if m, ok := request.(*cluster.MaintenanceRequest); ok && s.path == schedulePath {
				m.Version = versionWanted(r)
			}
			h.Change(rw, r, request)
		}
	})
}

// versionWanted is what a request says in If-Match of what it changes; nil when
// that may be anything.
func versionWanted(r *http.Request) *string {
	tag := strings.TrimSpace(r.Header.Get("If-Match"))
	if tag == "" || tag == "*" {
		return nil
	}
	return proto.String(strings.Trim(tag, `"`))
}

// requestOf is what a request asks of the master. The error is a
// *carrier.Problem.
func (s setting) requestOf(rw http.ResponseWriter, r *http.Request, h *operator.Handler) (request proto.Message, err error) {
	_, rest, _ := strings.Cut(r.URL.Path, s.path)
	err = h.ReadText(rw, r, func(body []byte) (err error) {
		if request, err = s.request(body, rest); err != nil {
			return carrier.BadRequest(field.In("body", err).Error())
		}
		return nil
	})
	return request, err
}

func refuseMethod(rw http.ResponseWriter, r *http.Request, expected []string) {
	rw.Header().Set("Allow", strings.Join(expected, ", "))
	http.Error(rw, "method "+r.Method+": expecting "+strings.Join(expected, ", "), http.StatusMethodNotAllowed)
}
