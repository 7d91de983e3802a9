package zookeeper

import (
	"unicode/utf8"

	"troupe/master/election/ensemble"
	"troupe/messages/field"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// label begins the names of candidates.
const label = "json.info_"

// roleOf is what a master stands for election as.
func roleOf(info *mesos.MasterInfo) ensemble.Role {
	return ensemble.Role{Label: label, Noun: "master", Content: encode(info)}
}

// maxShown bounds what an error repeats of a foreign znode, in bytes.
const maxShown = 64

// decode reads a candidate's content. Errors are of package field.
func decode(data []byte) (*mesos.MasterInfo, error) {
	if !utf8.Valid(data) {
		return nil, field.Invalid("content", string(data[:min(len(data), maxShown)]), "is no MasterInfo as JSON: it is not UTF-8")
	}
	info := new(mesos.MasterInfo)
	if err := json.Unmarshal(data, info); err != nil {
		return nil, field.Invalid("content", string(data[:min(len(data), maxShown)]), "is no MasterInfo as JSON: %v", err)
	}
	if info.GetId() == "" {
		return nil, field.Invalid("content.id", "", "is empty")
	}
	return info, nil
}

func encode(info *mesos.MasterInfo) []byte { return json.Marshal(info) }
