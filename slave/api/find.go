package api

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/carrier/files"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
)

// finders find what a call asks for. Errors are *carrier.Problem.
var finders = map[agent.Call_Type]func(*server, *agent.Call) (*agent.Response, error){
	agent.Call_GET_HEALTH: func(*server, *agent.Call) (*agent.Response, error) {
		return &agent.Response{GetHealth: &agent.Response_GetHealth{Healthy: proto.Bool(true)}}, nil
	},
	agent.Call_GET_FLAGS:         (*server).getFlags,
	agent.Call_GET_VERSION:       (*server).getVersion,
	agent.Call_GET_METRICS:       (*server).getMetrics,
	agent.Call_GET_LOGGING_LEVEL: (*server).getLoggingLevel,
	agent.Call_LIST_FILES:        (*server).listFiles,
	agent.Call_READ_FILE:         (*server).readFile,
	agent.Call_GET_STATE:         (*server).getState,
	agent.Call_GET_FRAMEWORKS:    (*server).getFrameworks,
	agent.Call_GET_EXECUTORS:     (*server).getExecutors,
	agent.Call_GET_TASKS:         (*server).getTasks,
	agent.Call_GET_AGENT:         (*server).getAgent,
	agent.Call_GET_OPERATIONS:    (*server).getOperations,
	agent.Call_GET_RESOURCE_PROVIDERS: func(*server, *agent.Call) (*agent.Response, error) {
		return &agent.Response{GetResourceProviders: &agent.Response_GetResourceProviders{}}, nil
	},
}

func (s *server) getFlags(*agent.Call) (*agent.Response, error) {
	flags := &agent.Response_GetFlags{}
	for _, name := range slices.Sorted(maps.Keys(s.info.Flags)) {
		flags.Flags = append(flags.Flags, &mesos.Flag{Name: proto.String(name), Value: proto.String(s.info.Flags[name])})
	}
	return &agent.Response{GetFlags: flags}, nil
}

func (s *server) getVersion(*agent.Call) (*agent.Response, error) {
	date, at := s.built()
	info := &mesos.VersionInfo{Version: &s.info.Version, BuildDate: &date, BuildTime: &at, BuildUser: &s.info.BuildUser}
	if s.info.GitSHA != "" {
		info.GitSha = &s.info.GitSHA
	}
	return &agent.Response{GetVersion: &agent.Response_GetVersion{VersionInfo: info}}, nil
}

func (s *server) getMetrics(*agent.Call) (*agent.Response, error) {
	figures := map[string]float64{}
	s.putMetrics(s.view.Snapshot(), func(key string, value float64) { figures[key] = value })
	metrics := &agent.Response_GetMetrics{}
	for _, key := range slices.Sorted(maps.Keys(figures)) {
		metrics.Metrics = append(metrics.Metrics, &mesos.Metric{Name: proto.String(key), Value: proto.Float64(figures[key])})
	}
	return &agent.Response{GetMetrics: metrics}, nil
}

func (s *server) getLoggingLevel(*agent.Call) (*agent.Response, error) {
	level := uint32(0)
	if s.info.Log != nil {
		level = s.info.Log.Verbosity()
	}
	return &agent.Response{GetLoggingLevel: &agent.Response_GetLoggingLevel{Level: &level}}, nil
}

func (s *server) setLoggingLevel(to *agent.Call_SetLoggingLevel) error {
	if s.info.Log == nil {
		return &carrier.Problem{Status: http.StatusNotImplemented, Reason: "Call SET_LOGGING_LEVEL is not implemented: this agent keeps no log"}
	}
	if err := s.info.Log.SetVerbosity(to.GetLevel(), time.Duration(to.GetDuration().GetNanoseconds())); err != nil {
		return carrier.BadRequest("set_logging_level: " + err.Error())
	}
	return nil
}

func (s *server) listFiles(call *agent.Call) (*agent.Response, error) {
	infos, err := s.view.files.attached.List(call.GetListFiles().GetPath())
	if err != nil {
		return nil, &carrier.Problem{Status: files.Status(err), Reason: "list_files: " + err.Error()}
	}
	return &agent.Response{ListFiles: &agent.Response_ListFiles{FileInfos: infos}}, nil
}

func (s *server) readFile(call *agent.Call) (*agent.Response, error) {
	from := call.GetReadFile()
	length := uint64(math.MaxUint64)
	if from.Length != nil {
		length = from.GetLength()
	}
	part, err := s.view.files.attached.Read(from.GetPath(), from.GetOffset(), length)
	if err != nil {
		return nil, &carrier.Problem{Status: files.Status(err), Reason: "read_file: " + err.Error()}
	}
	if part.Data == nil {
		part.Data = []byte{} // required, and empty
	}
	return &agent.Response{ReadFile: &agent.Response_ReadFile{Size: &part.Size, Data: part.Data}}, nil
}

func (s *server) getAgent(*agent.Call) (*agent.Response, error) {
	a := s.view.Agent()
	found := &agent.Response_GetAgent{AgentInfo: a.Info, DrainConfig: a.Drain}
	if since := s.view.milestones.drainStart(); a.Drain != nil && !since.IsZero() {
		found.EstimatedDrainStartTime = &mesos.TimeInfo{Nanoseconds: proto.Int64(since.UnixNano())}
	}
	return &agent.Response{GetAgent: found}, nil
}
