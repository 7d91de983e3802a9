package operator

import (
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/carrier/files"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// tell answers the calls whose answer is short; nil for other calls.
func (h *Handler) tell(call *master.Call) (*master.Response, error) {
	r := new(master.Response)
	switch call.GetType() {
	case master.Call_GET_HEALTH:
		r.Type, r.GetHealth = master.Response_GET_HEALTH.Enum(), &master.Response_GetHealth{Healthy: proto.Bool(true)}
	case master.Call_GET_FLAGS:
		r.Type, r.GetFlags = master.Response_GET_FLAGS.Enum(), &master.Response_GetFlags{Flags: h.o.Flags}
	case master.Call_GET_VERSION:
		r.Type, r.GetVersion = master.Response_GET_VERSION.Enum(), &master.Response_GetVersion{VersionInfo: h.o.Version}
	case master.Call_GET_MASTER:
		r.Type, r.GetMaster = master.Response_GET_MASTER.Enum(), h.o.Master
	case master.Call_GET_METRICS:
		if err := wanted(call.GetMetrics, "get_metrics"); err != nil {
			return nil, err
		}
		timeout, err := timeoutOf(call.GetGetMetrics().GetTimeout())
		if err != nil {
			return nil, err
		}
		r.Type, r.GetMetrics = master.Response_GET_METRICS.Enum(), &master.Response_GetMetrics{Metrics: h.o.Metrics(timeout)}
	case master.Call_GET_LOGGING_LEVEL:
		r.Type = master.Response_GET_LOGGING_LEVEL.Enum()
		r.GetLoggingLevel = &master.Response_GetLoggingLevel{Level: proto.Uint32(h.o.Logging.Verbosity())}
	case master.Call_SET_LOGGING_LEVEL:
		return h.setLoggingLevel(call.SetLoggingLevel)
	case master.Call_LIST_FILES:
		return h.listFiles(call.ListFiles)
	case master.Call_READ_FILE:
		return h.readFile(call.ReadFile)
	default:
		return settings(call.GetType(), h.o.View.Snapshot), nil
	}
	return r, nil
}

// timeoutOf is 0 for a call without one.
func timeoutOf(d *mesos.DurationInfo) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if d.GetNanoseconds() <= 0 {
		return 0, carrier.BadRequest(field.Invalid("call.get_metrics.timeout.nanoseconds", d.GetNanoseconds(), "must be above 0").Error())
	}
	return time.Duration(d.GetNanoseconds()), nil
}

func (h *Handler) setLoggingLevel(call *master.Call_SetLoggingLevel) (*master.Response, error) {
	if err := wanted(call, "set_logging_level"); err != nil {
		return nil, err
	}
	err := h.o.Logging.SetVerbosity(call.GetLevel(), time.Duration(call.GetDuration().GetNanoseconds()))
	if err != nil {
		return nil, carrier.BadRequest("call.set_logging_level." + err.Error())
	}
	return done, nil
}

// done is the answer to a call that has none but a status.
var done = new(master.Response)

func (h *Handler) listFiles(call *master.Call_ListFiles) (*master.Response, error) {
	if err := wanted(call, "list_files"); err != nil {
		return nil, err
	}
	infos, err := h.o.Files.List(call.GetPath())
	if err != nil {
		return nil, &carrier.Problem{Status: files.Status(err), Reason: err.Error()}
	}
	return &master.Response{Type: master.Response_LIST_FILES.Enum(), ListFiles: &master.Response_ListFiles{FileInfos: infos}}, nil
}

func (h *Handler) readFile(call *master.Call_ReadFile) (*master.Response, error) {
	if err := wanted(call, "read_file"); err != nil {
		return nil, err
	}
	length := uint64(math.MaxUint64)
	if call.Length != nil {
		length = call.GetLength()
	}
	part, err := h.o.Files.Read(call.GetPath(), call.GetOffset(), length)
	if err != nil {
		return nil, &carrier.Problem{Status: files.Status(err), Reason: err.Error()}
	}
	return &master.Response{
		Type:     master.Response_READ_FILE.Enum(),
		ReadFile: &master.Response_ReadFile{Size: proto.Uint64(part.Size), Data: part.Data},
	}, nil
}
