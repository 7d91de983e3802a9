package nested_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"troupe/executor/executortest"
	"troupe/executor/nested"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

// talk is a session that runs, with the program's ends of its streams.
func talk(t *testing.T, r *rig, name string) (*visitor, *executortest.Process, [3]*os.File) {
	t.Helper()
	v := r.visitor()
	v.want(session(name), done, "")
	p := r.launcher.Next(t)
	s := <-r.launcher.streams
	t.Cleanup(func() {
		for _, f := range s {
			f.Close() // may have been closed by the test
		}
	})
	return v, p, s
}

// TestSlowReader holds its session up, which costs no memory: only so much is on
// its way.
func TestSlowReader(t *testing.T) {
	r := newRig(t)
	v, p, streams := talk(t, r, "R.s")
	const most = 16*16<<10 + 16<<10 + 64<<10 // a window, a piece that waits, a full pipe
	if err := streams[1].SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := streams[1].Write(make([]byte, 4<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > most {
		t.Errorf("%d bytes were taken, %v", n, err)
	}
	p.Exit(0)
	if err := errors.Join(streams[1].Close(), streams[2].Close()); err != nil {
		t.Fatal(err)
	}
	for got := 0; got < n; {
		got += len(await[*cluster.ContainerOutput](v).GetIo().GetData().GetData())
		v.say(&cluster.ContainerOutputTaken{})
	}
	if end := await[*cluster.ContainerOutputEnd](v); end.Message != nil {
		t.Errorf("it ends with %v", end)
	}
}

// TestReaderThatIsLateForTheEnd has all the same what was written before it.
func TestReaderThatIsLateForTheEnd(t *testing.T) {
	r := newRig(t, func(o *nested.Options) { o.DrainLimit = time.Nanosecond })
	v, p, streams := talk(t, r, "R.s")
	if err := streams[1].SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := streams[1].Write(make([]byte, 4<<20)) // until nothing is taken any more
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	p.Exit(0)
	r.visitor().want(wait("R.s"), done, "") // its streams are open elsewhere
	for got := 0; got < n; {
		got += len(await[*cluster.ContainerOutput](v).GetIo().GetData().GetData())
		v.say(&cluster.ContainerOutputTaken{})
	}
	await[*cluster.ContainerOutputEnd](v)
}

// TestStalledReader who came later is cut off, so that the session goes on.
func TestStalledReader(t *testing.T) {
	r := newRig(t, func(o *nested.Options) { o.StallLimit = time.Millisecond })
	v, _, streams := talk(t, r, "R.s")
	late := r.visitor()
	late.want(attach("R.s"), done, "")
	go func() {
		_, err := streams[1].Write(make([]byte, 1<<20))
		if err = errors.Join(err, streams[1].Close(), streams[2].Close()); err != nil {
			t.Error(err)
		}
	}()
	for got := 0; got < 1<<20; {
		got += len(await[*cluster.ContainerOutput](v).GetIo().GetData().GetData())
		v.say(&cluster.ContainerOutputTaken{})
	}
	if end := await[*cluster.ContainerOutputEnd](late); end.Message == nil {
		t.Error("it is not said why the output ends")
	}
	await[*cluster.ContainerOutputEnd](v)
}

func TestReadersAndTheirNumber(t *testing.T) {
	r := newRig(t)
	_, _, streams := talk(t, r, "R.s")
	var readers []*visitor
	for range 15 {
		readers = append(readers, r.visitor())
		readers[len(readers)-1].want(attach("R.s"), done, "")
	}
	r.visitor().want(attach("R.s"), taken, "too many")
	if _, err := streams[2].WriteString("to all"); err != nil {
		t.Fatal(err)
	}
	for _, v := range readers {
		data := await[*cluster.ContainerOutput](v).GetIo().GetData()
		if data.GetType() != agent.ProcessIO_Data_STDERR || string(data.GetData()) != "to all" {
			t.Errorf("a reader has %v", data)
		}
	}
}

// TestSessionOfVisitorThatLeaves ends, and so does one that is still being
// launched.
func TestSessionOfVisitorThatLeaves(t *testing.T) {
	r := newRig(t)
	v, p, _ := talk(t, r, "R.s")
	v.leave()
	if grace := p.Killed(t); grace != 0 {
		t.Errorf("a grace of %v", grace)
	}
	v = r.visitor()
	v.say(&cluster.ContainerCall{Call: session("R.t")})
	v.leave()
	r.launcher.Next(t).Killed(t)
}

func data(text string) *agent.ProcessIO {
	return &agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte(text)}}
}

func attachInput(name string) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
		Type: agent.Call_AttachContainerInput_CONTAINER_ID.Enum(), ContainerId: id(name),
	}}
}

// TestInput goes to the program from one at a time; another may follow who has
// left.
func TestInput(t *testing.T) {
	r := newRig(t)
	_, _, streams := talk(t, r, "R.s")
	v := r.visitor()
	v.want(attachInput("R.x"), unknown, "")
	v.want(attachInput("R"), invalid, "no input")
	v.want(attachInput("R.s"), done, "")
	r.visitor().want(attachInput("R.s"), taken, "somebody else")
	v.say(&cluster.ContainerInput{Io: data("words")})
	if got := await[*cluster.ContainerInputTaken](v); got.Error != nil {
		t.Errorf("the answer is %v", got)
	}
	v.say(&cluster.ContainerInput{Io: &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
		Type: agent.ProcessIO_Control_TTY_INFO.Enum(),
	}}})
	if got := await[*cluster.ContainerInputTaken](v); got.Error == nil {
		t.Error("a session without a terminal was resized")
	}
	v.say(&cluster.ContainerInputLeave{})
	await[*cluster.ContainerInputLeft](v)
	next := r.visitor()
	next.want(attachInput("R.s"), done, "")
	v.say(&cluster.ContainerInputLeave{}) // again: it takes nothing from the other
	await[*cluster.ContainerInputLeft](v)
	v.say(&cluster.ContainerInput{Io: data("too late")})
	v.leave()
	next.say(&cluster.ContainerInput{Io: data(" and more")})
	next.say(&cluster.ContainerInput{Io: data("")})
	all, err := io.ReadAll(streams[0])
	if err != nil || string(all) != "words and more" {
		t.Errorf("the program has %q (%v)", all, err)
	}
	next.leave()
}

// TestInputOfWhoIsGone is free for another without a word of it.
func TestInputOfWhoIsGone(t *testing.T) {
	r := newRig(t)
	talk(t, r, "R.s")
	v, next := r.visitor(), r.visitor()
	v.want(attachInput("R.s"), done, "")
	v.leave()
	for late := time.Now().Add(patience); ; { // until v is known to have left
		next.say(&cluster.ContainerCall{Call: attachInput("R.s")})
		if await[*cluster.ContainerAnswer](next).GetOutcome() == done {
			break
		}
		if time.Now().After(late) {
			t.Fatal("the input is still somebody else's")
		}
	}
	stranger := r.visitor()
	stranger.say(&cluster.ContainerInputLeave{})
	await[*cluster.ContainerInputLeft](stranger)
	r.visitor().want(attachInput("R.s"), taken, "somebody else")
}

// TestInputThatIsNotTaken blocks nobody: who sends more than may be on its way
// is let go, and who leaves frees the input.
func TestInputThatIsNotTaken(t *testing.T) {
	r := newRig(t)
	_, p, streams := talk(t, r, "R.s")
	v := r.visitor()
	v.want(attachInput("R.s"), done, "")
	for range 16 {
		v.say(&cluster.ContainerInput{Io: data(string(make([]byte, 64<<10)))})
	}
	for {
		if got := await[*cluster.ContainerInputTaken](v); got.Error != nil {
			break
		}
	}
	v.say(&cluster.ContainerInputLeave{})
	await[*cluster.ContainerInputLeft](v)
	v.want(attachInput("R.s"), done, "")
	for range 2 {
		v.say(&cluster.ContainerInput{Io: data(string(make([]byte, 64<<10)))})
	}
	v.say(&cluster.ContainerInputLeave{})
	await[*cluster.ContainerInputLeft](v)
	p.Exit(0)
	if err := errors.Join(streams[1].Close(), streams[2].Close()); err != nil {
		t.Fatal(err)
	}
	v.want(wait("R.s"), done, "")
}

// TestEndOfContainer tells who has its input.
func TestEndOfContainer(t *testing.T) {
	r := newRig(t)
	_, p, streams := talk(t, r, "R.s")
	v := r.visitor()
	v.want(attachInput("R.s"), done, "")
	p.Exit(0)
	if err := errors.Join(streams[1].Close(), streams[2].Close()); err != nil {
		t.Fatal(err)
	}
	if got := await[*cluster.ContainerInputTaken](v); !got.GetOver() {
		t.Errorf("the answer is %v", got)
	}
	r.visitor().want(wait("R.s"), done, "") // the process may be waited for after its streams
	v.want(attach("R.s"), unknown, "")
}
