package containers

import (
	"errors"
	"net/http"

	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
	"troupe/messages/validate"
	"troupe/slave/api"
)

// feed is nil when the client or the container has ended in order.
func (g guest) feed(records <-chan record) error {
	var f feeding
	for {
		for io := f.next(); io != nil; io = f.next() {
			g.say(&cluster.ContainerInput{Io: io})
		}
		if f.ended() {
			return nil
		}
		more := records
		if !f.hungry() {
			more = nil
		}
		var err error
		select {
		case r := <-more:
			err = f.record(r)
		case taken := <-g.taken:
			err = f.taken(taken)
		case <-g.lost:
			err = &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the host of the container is away, or has ended"}
		}
		if err != nil {
			return err
		}
	}
}

// feeding is how far a request is whose records go to a container.
type feeding struct {
	under   int // pieces on their way
	waiting []*agent.ProcessIO
	over    bool // no record is left
	full    bool // the container wants no more
}

// next is a piece that may travel now, or nil.
func (f *feeding) next() *agent.ProcessIO {
	if f.full || f.under >= inputWindow || len(f.waiting) == 0 {
		return nil
	}
	io := f.waiting[0]
	f.under, f.waiting = f.under+1, f.waiting[1:]
	return io
}

// hungry tells whether the next record may be read.
func (f *feeding) hungry() bool { return !f.over && len(f.waiting) == 0 }

func (f *feeding) ended() bool { return f.full || f.over && f.under == 0 && len(f.waiting) == 0 }

func (f *feeding) record(r record) (err error) {
	switch {
	case errors.Is(r.err, api.ErrInputEnded):
		f.over = true
	case r.err != nil:
		return r.err
	default:
		f.waiting, err = pieces(r.call)
	}
	return err
}

// taken: the host has a piece, or wants no more.
func (f *feeding) taken(m *cluster.ContainerInputTaken) error {
	switch {
	case m.GetOver():
		f.full = true
	case m.Error != nil:
		return carrier.BadRequest(m.GetError())
	default:
		f.under = max(f.under-1, 0)
	}
	return nil
}

// pieces cuts a record into what travels at once.
func pieces(call *agent.Call) ([]*agent.ProcessIO, error) {
	if err := validate.ContainerInput(call); err != nil {
		return nil, carrier.BadRequest(err.Error())
	}
	io := call.GetAttachContainerInput().GetProcessIo()
	data := io.GetData().GetData()
	if io.GetType() != agent.ProcessIO_DATA || len(data) <= pieceSize {
		return []*agent.ProcessIO{io}, nil
	}
	var list []*agent.ProcessIO
	for len(data) > 0 {
		n := min(len(data), pieceSize)
		list = append(list, &agent.ProcessIO{
			Type: io.Type, Data: &agent.ProcessIO_Data{Type: io.GetData().Type, Data: data[:n]},
		})
		data = data[n:]
	}
	return list, nil
}
