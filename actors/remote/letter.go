package remote

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// letter is a message on its way to a peer. Keys are not in the names.
type letter struct {
	from, to address.PID
	keys     frame.Keys
	typ      protoreflect.FullName
	body     []byte
}

// cutKeys takes the keys out of the names.
func (m *letter) cutKeys() {
	m.from.Name, m.keys.Sender = cutKey(m.from.Name)
	m.to.Name, m.keys.Target = cutKey(m.to.Name)
}

// messageCost is what a message counts against a budget beyond its body: the
// records kept of it and its share of a frame.
const messageCost = 64

func (m *letter) cost() int { return len(m.body) + messageCost }

// own is the letter with a body that nobody else uses. Longer ones have it
// already.
func (m *letter) own() letter {
	o := *m
	if len(o.body) <= frame.ChunkSize {
		o.body = bytes.Clone(o.body)
	}
	return o
}

// obituary is a letter that will not arrive, as far as it must be told.
type obituary struct {
	from, to address.PID
	typ      protoreflect.FullName
	reason   Reason
}

// obituary tells of a letter that was refused for a Reason.
func (m *letter) obituary(err error) obituary {
	reason := Lost
	errors.As(err, &reason)
	o := obituary{m.from, m.to, m.typ, reason}
	o.from.Name = withKey(m.from.Name, m.keys.Sender)
	o.to.Name = withKey(m.to.Name, m.keys.Target)
	return o
}

// A name may end in a key: a question mark and a number in base 36. Names with
// different keys share one number in a link's tables.
const (
	keyMark = '?'
	keyBase = 36
)

// cutKey takes the key off a name; 0 when there is none, or none that withKey
// would write the same way.
func cutKey(name string) (string, uint64) {
	i := strings.LastIndexByte(name, keyMark)
	if i <= 0 {
		return name, 0
	}
	key, err := strconv.ParseUint(name[i+1:], keyBase, 64)
	if err != nil || key == 0 || strconv.FormatUint(key, keyBase) != name[i+1:] {
		return name, 0
	}
	return name[:i], key
}

func withKey(name string, key uint64) string {
	if key == 0 {
		return name
	}
	return name + string(keyMark) + strconv.FormatUint(key, keyBase)
}
