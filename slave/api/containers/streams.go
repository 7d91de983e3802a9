package containers

import (
	"errors"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/slave/api"
)

const (
	// heartbeatEvery is the pace of HEARTBEAT on a stream of output, unless Handler
	// is told another.
	heartbeatEvery = 30 * time.Second
	// pieceSize is how much input travels at once, in bytes.
	pieceSize = 64 << 10
	// leaveLimit is how long an answer waits for the host to let go of the input:
	// what it waits for itself is interrupted, so only a host in trouble, or of an
	// older release, takes that long.
	leaveLimit = 5 * time.Second
)

func heartbeat(every time.Duration) *agent.ProcessIO {
	return &agent.ProcessIO{
		Type: agent.ProcessIO_CONTROL.Enum(),
		Control: &agent.ProcessIO_Control{
			Type:      agent.ProcessIO_Control_HEARTBEAT.Enum(),
			Heartbeat: &agent.ProcessIO_Control_Heartbeat{Interval: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(every))}},
		},
	}
}

// errCutOff ends a stream that the client must not take for complete.
var errCutOff = errors.New("the output was cut off")

// stream answers by the output of a container, piece by piece: the next comes
// when the client has one. It aborts the connection where the output does not
// end in order.
func (g guest) stream(w http.ResponseWriter, r *http.Request, media api.Media) {
	w.Header().Set("Content-Type", media.Accept.String())
	if media.Records {
		w.Header().Set("Content-Type", api.RecordIO)
		w.Header().Set("Message-Content-Type", media.Accept.String())
	}
	w.WriteHeader(http.StatusOK)
	if g.carry(w, r, media.Accept) != nil {
		panic(http.ErrAbortHandler)
	}
}

func (g guest) carry(w http.ResponseWriter, r *http.Request, form carrier.Form) error {
	flusher := http.NewResponseController(w)
	if err := flusher.Flush(); err != nil {
		return err
	}
	send := func(io *agent.ProcessIO) error {
		frame, err := form.Frame(io)
		if err != nil {
			return err
		}
		if _, err := w.Write(frame); err != nil {
			return err
		}
		return flusher.Flush()
	}
	pass := func(io *agent.ProcessIO) error {
		if err := send(io); err != nil {
			return err
		}
		g.say(&cluster.ContainerOutputTaken{})
		return nil
	}
	beats := time.NewTicker(g.beat)
	defer beats.Stop()
	for {
		select {
		case io := <-g.output:
			if err := pass(io); err != nil {
				return err
			}
		case end := <-g.ended:
			return g.finish(end, pass)
		case <-beats.C:
			if err := send(heartbeat(g.beat)); err != nil {
				return err
			}
		case <-g.lost:
			return errCutOff
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// finish passes on what came before the end.
func (g guest) finish(end *cluster.ContainerOutputEnd, pass func(*agent.ProcessIO) error) error {
	for {
		select {
		case io := <-g.output:
			if err := pass(io); err != nil {
				return err
			}
			continue
		default:
		}
		if end.Message != nil {
			return errCutOff
		}
		return nil
	}
}

// say tells the host something.
func (g guest) say(m proto.Message) {
	g.system.Do(g.pid, func(c *actors.Context) { c.Send(g.host, m) })
}

// record is one of a request that streams.
type record struct {
	call *agent.Call
	err  error
}

// input carries the records of a request to a container, and answers when it has
// taken all.
func (g guest) input(w http.ResponseWriter, next func() (*agent.Call, error)) error {
	records, done := make(chan record), make(chan struct{})
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for {
			call, err := next()
			select {
			case records <- record{call, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	err := g.feed(records)
	close(done)
	g.leave()
	if late := stopReading(w); late != nil {
		return errors.Join(err, late)
	}
	<-reading
	return err
}

// leave gives a container's input up: who knows of the answer may have it.
func (g guest) leave() {
	g.say(&cluster.ContainerInputLeave{})
	limit := time.NewTimer(leaveLimit)
	defer limit.Stop()
	select {
	case <-g.left:
	case <-g.lost:
	case <-limit.C:
	}
}

// stopReading lets a request be answered whose client sends nothing, and does
// not end either. The connection cannot be used again.
func stopReading(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return http.NewResponseController(w).SetReadDeadline(time.Now())
}
