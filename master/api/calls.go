package api

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/operator"
	"troupe/master/api/stream"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// MountOperator mounts the operator API of a master that leads, and what there
// was before it to change something.
func MountOperator(r Router, v *View, info Info, ask operator.Asker) {
	s := &server{view: v, info: info}
	v.hub.Lead(info.MasterID, info.MaxSubscribers)
	h := operator.New(operator.Options{
		View: v, Ask: ask, Board: v.board, Subscribe: stream.Server{Hub: v.hub, View: v, Board: v.board}.Serve, Files: info.Files, Logging: info.Logging,
		Flags: info.flags(), Version: info.version(), Master: info.master(), Metrics: s.metrics,
	})
	both(r, "/api/v1", "calls of operators, in JSON or protobuf", h)
	mountForms(r, h)
	mountSettings(r, v, h)
}

// flags are those of /flags as messages.
func (i Info) flags() []*mesos.Flag {
	var list []*mesos.Flag
	for _, name := range slices.Sorted(maps.Keys(i.Flags)) {
		list = append(list, &mesos.Flag{Name: proto.String(name), Value: proto.String(i.Flags[name])})
	}
	return list
}

func (i Info) version() *mesos.VersionInfo {
	v := &mesos.VersionInfo{
		Version: proto.String(i.Version), BuildDate: proto.String(i.buildDate()),
		BuildTime: proto.Float64(seconds(i.Built)), BuildUser: proto.String(i.BuildUser),
	}
	if i.GitSHA != "" {
		v.GitSha = proto.String(i.GitSHA)
	}
	return v
}

func (i Info) master() *master.Response_GetMaster {
	return &master.Response_GetMaster{
		MasterInfo: i.Master, StartTime: proto.Float64(seconds(i.Started)), ElectedTime: proto.Float64(seconds(i.Elected)),
	}
}

// metrics are the figures as messages. They are read from a snapshot, at once.
func (s *server) metrics(time.Duration) []*mesos.Metric {
	var list []*mesos.Metric
	s.figures(s.view.Snapshot(), func(key string, value float64) {
		list = append(list, &mesos.Metric{Name: &key, Value: &value})
	})
	return list
}
