package containers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/actors/address"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/recordio"
	"troupe/slave/api"
	"troupe/slave/state/view"
)

const patience = 3 * time.Minute

// stage is an agent's operator API, with an agent that sends every call to one
// host, which the test plays.
type stage struct {
	t     testing.TB
	sys   *actors.System
	host  actors.PID
	calls chan visitor
	said  chan proto.Message // of visitors, to the host
	gone  chan actors.PID
}

// visitor is a call, and who waits for its answer.
type visitor struct {
	call *agent.Call
	pid  actors.PID
}

type fakeAgent struct{ s *stage }

func (f fakeAgent) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerCall) {
		c.Reply(&cluster.ContainerCallSent{Host: proto.String(f.s.host.String())})
		c.Send(f.s.host, &cluster.ContainerCall{Call: m.GetCall(), Visitor: proto.String(c.Sender().String())})
		visiting := visitor{m.GetCall(), c.Sender()}
		f.s.sys.Do(f.s.host, func(c *actors.Context) {
			c.Link(visiting.pid)
			f.s.calls <- visiting
		})
	})
}

type fakeHost struct{ s *stage }

func (f fakeHost) Init(c *actors.Context) {
	actors.Handle(c, func(*actors.Context, *cluster.ContainerCall) {})
	c.HandleAny(func(_ *actors.Context, m proto.Message) { f.s.said <- m })
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { f.s.gone <- e.PID })
}

func newStage(t testing.TB) *stage {
	t.Helper()
	sys := actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
	s := &stage{t: t, sys: sys, calls: make(chan visitor, 64), said: make(chan proto.Message, 1024), gone: make(chan actors.PID, 64)}
	var err error
	if s.host, err = sys.Spawn("host", fakeHost{s}); err != nil {
		t.Fatal(err)
	}
	boss, err := sys.Spawn("agent", fakeAgent{s})
	if err != nil {
		t.Fatal(err)
	}
	v := api.NewView(view.Limits{}, func(string) string { return "" })
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{}}})
	api.Mount(sys, v, api.Info{Containers: Handler(sys, boss, 0)})
	return s
}

func next[T any](s *stage, from chan T, what string) T {
	s.t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		s.t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

func (s *stage) tell(to actors.PID, m ...proto.Message) {
	s.sys.Do(s.host, func(c *actors.Context) {
		for _, m := range m {
			c.Send(to, m)
		}
	})
}

// post sends a request; what became of it comes in the channel.
func (s *stage) post(ctx context.Context, body io.Reader, header ...string) chan *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.sys.Address()+"/api/v1", body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answers := make(chan *http.Response, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			if ctx.Err() == nil {
				s.t.Error(err)
			}
			return
		}
		s.t.Cleanup(func() { answer.Body.Close() }) // read to its end, or cut off on purpose
		answers <- answer
	}()
	return answers
}

func text(t testing.TB, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

const (
	wait   = `{"type": "WAIT_CONTAINER", "wait_container": {"container_id": {"value": "c"}}}`
	attach = `{"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": {"value": "c"}}}`
)

func TestOutcomes(t *testing.T) {
	s := newStage(t)
	for outcome, status := range map[cluster.ContainerAnswer_Outcome]int{
		cluster.ContainerAnswer_DONE: 200, cluster.ContainerAnswer_ALREADY: 202, cluster.ContainerAnswer_INVALID: 400,
		cluster.ContainerAnswer_UNKNOWN: 404, cluster.ContainerAnswer_REFUSED: 500, cluster.ContainerAnswer_BUSY: 503, cluster.ContainerAnswer_TAKEN: 409,
	} {
		for _, call := range []string{wait, strings.ReplaceAll(strings.ReplaceAll(wait, "WAIT", "KILL"), "wait", "kill")} {
			pending := s.post(t.Context(), strings.NewReader(call))
			s.tell(next(s, s.calls, "call").pid, &cluster.ContainerAnswer{Outcome: outcome.Enum(), Message: proto.String("why")})
			answer := next(s, pending, "answer")
			if said := text(t, answer); answer.StatusCode != status || (status >= 400) != strings.Contains(said, "why") {
				t.Errorf("%v: %s %q, want %d", outcome, answer.Status, said, status)
			}
			next(s, s.gone, "end of the visit")
		}
	}
	pending := s.post(t.Context(), strings.NewReader(wait), "Accept", "application/x-protobuf")
	response := &agent.Response{Type: agent.Response_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Response_WaitContainer{ExitStatus: proto.Int32(7)}}
	s.tell(next(s, s.calls, "call").pid, &cluster.ContainerAnswer{Outcome: cluster.ContainerAnswer_DONE.Enum(), Response: response})
	got := new(agent.Response)
	if err := proto.Unmarshal([]byte(text(t, next(s, pending, "answer"))), got); err != nil || !proto.Equal(got, response) {
		t.Errorf("the response is %v (%v)", got, err)
	}
}

// TestWhoLeaves: a client takes its visit along, and a host its clients' answers.
func TestWhoLeaves(t *testing.T) {
	s := newStage(t)
	ctx, leave := context.WithCancel(t.Context())
	s.post(ctx, strings.NewReader(wait))
	visiting := next(s, s.calls, "call").pid
	leave()
	if got := next(s, s.gone, "end of the visit"); got != visiting {
		t.Errorf("%v is gone, not %v", got, visiting)
	}
	pending := s.post(t.Context(), strings.NewReader(wait))
	next(s, s.calls, "call")
	s.sys.Do(s.host, func(c *actors.Context) { c.Stop() })
	if got := next(s, pending, "answer"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s", got.Status)
	}
}

func done() *cluster.ContainerAnswer {
	return &cluster.ContainerAnswer{Outcome: cluster.ContainerAnswer_DONE.Enum()}
}

func output(text string) *cluster.ContainerOutput {
	return &cluster.ContainerOutput{Io: &agent.ProcessIO{
		Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDOUT.Enum(), Data: []byte(text)},
	}}
}

// TestOutput comes in whichever form is asked for, each piece acknowledged when
// the client has it.
func TestOutput(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		header      []string
		label, form string
	}{
		{nil, "application/json", ""},
		{[]string{"Accept", "application/x-protobuf"}, "application/x-protobuf", ""},
		{[]string{"Accept", "application/recordio"}, "application/recordio", "application/json"},
		{[]string{"Accept", "application/recordio", "Message-Accept", "application/x-protobuf"}, "application/recordio", "application/x-protobuf"},
	} {
		pending := s.post(t.Context(), strings.NewReader(attach), c.header...)
		pid := next(s, s.calls, "call").pid
		s.tell(pid, done(), output("one"), output("two"))
		answer := next(s, pending, "answer")
		if answer.Header.Get("Content-Type") != c.label || answer.Header.Get("Message-Content-Type") != c.form {
			t.Errorf("%v: %v", c.header, answer.Header)
		}
		in := recordio.NewReader(answer.Body, 1<<20)
		for _, want := range []string{"one", "two"} {
			record, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			io := new(agent.ProcessIO)
			if strings.Contains(c.label+c.form, "protobuf") {
				err = proto.Unmarshal(record, io)
			} else {
				err = json.Unmarshal(record, io)
			}
			if err != nil || string(io.GetData().GetData()) != want {
				t.Errorf("%v: %v (%v), want %s", c.header, io, err, want)
			}
			if _, ok := next(s, s.said, "acknowledgement").(*cluster.ContainerOutputTaken); !ok {
				t.Error("a piece was not acknowledged")
			}
		}
		s.tell(pid, output("three"), &cluster.ContainerOutputEnd{})
		if record, err := in.Next(); err != nil || len(record) == 0 {
			t.Errorf("the last piece: %v", err)
		}
		if _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("the end: %v", err)
		}
		next(s, s.said, "acknowledgement")
	}
}

// TestOutputThatIsCutOff is not taken for complete.
func TestOutputThatIsCutOff(t *testing.T) {
	s := newStage(t)
	flood := make([]proto.Message, 4*outputWindow)
	for i := range flood {
		flood[i] = output(strings.Repeat("x", 1<<16))
	}
	for name, last := range map[string][]proto.Message{
		"by the host": {&cluster.ContainerOutputEnd{Message: proto.String("too slow")}},
		"by a flood":  flood,
	} {
		pending := s.post(t.Context(), strings.NewReader(attach))
		pid := next(s, s.calls, "call").pid
		s.tell(pid, append([]proto.Message{done()}, last...)...)
		if _, err := io.ReadAll(next(s, pending, "answer").Body); err == nil {
			t.Errorf("%s: the stream ends in order", name)
		}
	}
}

func input(kind agent.Call_AttachContainerInput_Type, io *agent.ProcessIO) []byte {
	return recordio.Append(nil, json.Marshal(&agent.Call{
		Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(),
		AttachContainerInput: &agent.Call_AttachContainerInput{
			Type: kind.Enum(), ContainerId: &mesos.ContainerID{Value: proto.String("c")}, ProcessIo: io,
		},
	}))
}

func stdin(data []byte) []byte {
	return input(agent.Call_AttachContainerInput_PROCESS_IO, &agent.ProcessIO{
		Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: data},
	})
}

var streaming = []string{"Content-Type", "application/recordio", "Message-Content-Type", "application/json"}

// TestInput comes in pieces, of which so many are on their way.
func TestInput(t *testing.T) {
	s := newStage(t)
	half, feed := io.Pipe()
	pending := s.post(t.Context(), half, streaming...)
	big := bytes.Repeat([]byte("0123456789abcdef"), 10*pieceSize/16)
	go func() {
		_, err := feed.Write(append(input(agent.Call_AttachContainerInput_CONTAINER_ID, nil), stdin(big)...))
		if err = errors.Join(err, feed.Close()); err != nil {
			t.Error(err)
		}
	}()
	pid := next(s, s.calls, "call").pid
	s.tell(pid, done())
	var got []byte
	for under := 0; len(got) < len(big); under-- {
		for ; under < inputWindow && len(got) < len(big); under++ {
			got = append(got, next(s, s.said, "input").(*cluster.ContainerInput).GetIo().GetData().GetData()...)
		}
		select {
		case m := <-s.said:
			t.Fatalf("%v came before there was room", m)
		default:
		}
		s.tell(pid, &cluster.ContainerInputTaken{})
	}
	if !bytes.Equal(got, big) {
		t.Error("the input is not what was sent")
	}
	for range inputWindow - 1 {
		s.tell(pid, &cluster.ContainerInputTaken{})
	}
	s.letGo(pid, pending)
	if answer := next(s, pending, "answer"); answer.StatusCode != http.StatusOK {
		t.Errorf("%s %s", answer.Status, text(t, answer))
	}
}

// letGo lets a visitor go that leaves a container's input. No answer may have come
// before that.
func (s *stage) letGo(visitor actors.PID, pending chan *http.Response) {
	s.t.Helper()
	if m, ok := next(s, s.said, "leaving").(*cluster.ContainerInputLeave); !ok {
		s.t.Fatalf("it says %v", m)
	}
	select {
	case answer := <-pending:
		s.t.Errorf("%s before the input is free", answer.Status)
	default:
	}
	s.tell(visitor, &cluster.ContainerInputLeft{})
}

// TestInputThatEnds is answered although the client goes on.
func TestInputThatEnds(t *testing.T) {
	s := newStage(t)
	for status, last := range map[int]proto.Message{
		200: &cluster.ContainerInputTaken{Over: proto.Bool(true)},
		400: &cluster.ContainerInputTaken{Error: proto.String("there is no terminal")},
		404: nil,
	} {
		half, feed := io.Pipe()
		pending := s.post(t.Context(), half, streaming...)
		if _, err := feed.Write(input(agent.Call_AttachContainerInput_CONTAINER_ID, nil)); err != nil {
			t.Fatal(err)
		}
		pid := next(s, s.calls, "call").pid
		if last == nil {
			s.tell(pid, &cluster.ContainerAnswer{Outcome: cluster.ContainerAnswer_UNKNOWN.Enum()})
		} else {
			s.tell(pid, done(), last)
			s.letGo(pid, pending)
		}
		if answer := next(s, pending, "answer"); answer.StatusCode != status {
			t.Errorf("%s, want %d", answer.Status, status)
		}
		feed.Close() // nobody reads it
	}
}

// TestInputThatIsRefused is answered while the client goes on, whatever is wrong.
func TestInputThatIsRefused(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		first  []byte
		header []string
		status int
	}{
		{nil, streaming[:2], 400},
		{nil, append([]string{"Accept", "text/html"}, streaming...), 406},
		{[]byte("x"), streaming, 400},
		{recordio.Append(nil, []byte(wait)), streaming, 415},
		{input(agent.Call_AttachContainerInput_CONTAINER_ID, nil)[:20], nil, 400},
	} {
		half, feed := io.Pipe()
		pending := s.post(t.Context(), half, c.header...)
		if len(c.first) > 0 {
			if _, err := feed.Write(c.first); err != nil {
				t.Fatal(err)
			}
		}
		if c.header == nil {
			feed.Close() // a body that is JSON is read to its end
		}
		if answer := next(s, pending, "answer"); answer.StatusCode != c.status {
			t.Errorf("%v: %s, want %d", c.header, answer.Status, c.status)
		}
		feed.Close() // nobody reads it
	}
}

// TestList asks all hosts at once, and waits neither for one that is gone nor
// forever for one that says nothing.
func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, err := actors.New(actors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		spawn := func(name string, a actors.Actor) actors.PID {
			pid, err := sys.Spawn(name, a)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		one, two := spawn("one", player{"a"}), spawn("two", player{"b"})
		silent, leaving := spawn("silent", player{}), spawn("leaving", player{"leaves"})
		for name, c := range map[string]struct {
			hosts []actors.PID
			found int
		}{"nobody": {nil, 0}, "two": {[]actors.PID{one, two}, 2}, "some": {[]actors.PID{one, silent, leaving, two}, 2}} {
			boss := spawn("agent-of-"+name, hosting{c.hosts})
			begun := time.Now()
			list, err := List(sys, boss)(t.Context())
			if took := time.Since(begun); err != nil || len(list) != c.found || (took > 0) != (name == "some") || took > surveyLimit {
				t.Errorf("%s: %v (%v) after %v", name, list, err, took)
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := List(sys, silent)(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that is gone: %v", err)
		}
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// hosting is an agent with some hosts.
type hosting struct{ hosts []actors.PID }

func (h hosting) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerCall) {
		if len(h.hosts) == 0 {
			c.Reply(&cluster.ContainerAnswer{Outcome: cluster.ContainerAnswer_DONE.Enum()})
		}
		for _, host := range h.hosts {
			c.Reply(&cluster.ContainerCallSent{Host: proto.String(host.String()), Hosts: proto.Int32(int32(len(h.hosts)))})
			c.Send(host, &cluster.ContainerCall{Call: m.GetCall(), Visitor: proto.String(c.Sender().String())})
		}
	})
}

// player is a host with one container: its name; "" never answers, and "leaves"
// ends instead.
type player struct{ container string }

func (p player) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerCall) {
		switch p.container {
		case "":
		case "leaves":
			c.Stop()
		default:
			visitor, err := address.Parse(m.GetVisitor())
			if err != nil {
				panic(err) // the test's own
			}
			c.Send(visitor, &cluster.ContainerAnswer{
				Outcome: cluster.ContainerAnswer_DONE.Enum(),
				Response: &agent.Response{GetContainers: &agent.Response_GetContainers{
					Containers: []*Container{{ContainerId: &mesos.ContainerID{Value: &p.container}}},
				}},
			})
		}
	})
}
