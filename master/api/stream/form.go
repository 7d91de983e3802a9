package stream

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"troupe/master/api/records"
	"troupe/messages/carrier"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
	"troupe/messages/recordio"
)

// form is how a subscriber wants events: in which media type, and whether with
// a cursor in each.
type form struct {
	media  carrier.Form
	cursor bool
}

// forms is how many there are.
const forms = 4

func (f form) index() int {
	i := int(f.media) * 2
	if f.cursor {
		i++
	}
	return i
}

var formOf = [forms]form{{carrier.JSON, false}, {carrier.JSON, true}, {carrier.Protobuf, false}, {carrier.Protobuf, true}}

func (f form) pen(out io.Writer) *pen.Pen {
	if f.media == carrier.Protobuf {
		return pen.Protobuf(out)
	}
	return pen.JSON(out)
}

// record appends an event to b as a record; a number of 0 has no cursor.
func (f form) record(b []byte, leader string, number uint64, write func(*pen.Pen)) ([]byte, error) {
	var event bytes.Buffer
	p := f.pen(&event)
	write(p)
	if f.cursor && number > 0 {
		records.Cursor(p, cursorOf(leader, number))
	}
	if err := p.Finish(); err != nil {
		return b, err
	}
	return recordio.Append(b, event.Bytes()), nil
}

// heartbeat is a HEARTBEAT as a record.
func (f form) heartbeat() ([]byte, error) {
	return f.record(nil, "", 0, func(p *pen.Pen) { records.EventType(p, master.Event_HEARTBEAT) })
}

// cursorOf names an event of a leader's stream.
func cursorOf(leader string, number uint64) string {
	return leader + "-" + strconv.FormatUint(number, 10)
}

// parseCursor splits what cursorOf made.
func parseCursor(text string) (leader string, number uint64, err error) {
	at := strings.LastIndexByte(text, '-')
	if at <= 0 {
		return "", 0, fmt.Errorf("resume: %q: is not like LEADER-NUMBER", shortened(text))
	}
	number, err = strconv.ParseUint(text[at+1:], 10, 63)
	if err != nil {
		return "", 0, fmt.Errorf("resume: %q: is not like LEADER-NUMBER", shortened(text))
	}
	return text[:at], number, nil
}

func shortened(text string) string {
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}
