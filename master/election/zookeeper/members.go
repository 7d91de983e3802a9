package zookeeper

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"troupe/messages/field"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// label begins the names of candidates. ZooKeeper adds ten digits.
const label = "json.info_"

// maxShown bounds what an error repeats of a foreign znode, in bytes.
const maxShown = 64

// candidate is a znode of an election.
type candidate struct {
	name   string
	number int64
}

// candidates picks those of a path's children, and sorts them: the first
// leads. Mesos keeps other things there as well.
func candidates(children []string) []candidate {
	var all []candidate
	for _, name := range children {
		if c, ok := parseCandidate(name); ok {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
	})
	return all
}

func parseCandidate(name string) (candidate, bool) {
	digits, ok := strings.CutPrefix(name, label)
	if !ok {
		return candidate{}, false
	}
	number, err := strconv.ParseUint(digits, 10, 63)
	return candidate{name, int64(number)}, err == nil
}

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
