package remote

import (
	"testing"
	"time"

	"troupe/actors/remote/frame"
)

// worker is a Receiver whose messages make work.
type worker struct {
	*recorder
	do func(text string)
}

func (w *worker) Deliver(d *Delivery) Work {
	w.recorder.Deliver(d)
	return &job{w, text(d.Message)}
}

type job struct {
	w    *worker
	text string
}

func (j *job) Do() {
	j.w.do(j.text)
	j.w.note("done %s", j.text)
}

func (j *job) Go() { go j.Do() }

// TestALinkIsReadWhileItsReaderWorks: work that waits for a later message of
// the same link gets it, and the link lives on when the work is done.
func TestALinkIsReadWhileItsReaderWorks(t *testing.T) {
	const longest = 100 * time.Millisecond
	resume := make(chan struct{})
	r := &worker{newRecorder(), func(text string) {
		switch text {
		case "wait":
			<-resume
		case "go on":
			close(resume)
		}
	}}
	b := start(t, Config{Receiver: r, Limits: Limits{Heartbeat: longest}})
	a := start(t, Config{})
	a.say("x", b.at("y"), "wait")
	r.waitFor(t, "deliver x>y wait", 1)
	a.say("x", b.at("y"), "go on")
	r.waitFor(t, "done wait", 1)
	a.say("x", b.at("y"), "later")
	r.waitFor(t, "done later", 1)
	if got := r.count("exited"); got != 0 {
		t.Errorf("%d exits: %q", got, r.told())
	}
	if p := b.Peers(); len(p) != 1 || !p[0].Linked || p[0].Traffic.MessagesIn != 3 {
		t.Errorf("peers %+v, want one link and 3 messages", p)
	}
	a.close()
	b.close()
}

// TestAllWorkIsDone over few links and over more, of messages that come alone
// or together, and of those before bytes that make no sense.
func TestAllWorkIsDone(t *testing.T) {
	r := &worker{newRecorder(), func(string) {}}
	b := start(t, Config{Receiver: r})
	const together = 20
	want := 0
	for range fewLinks + 2 {
		a := start(t, Config{})
		for range together {
			a.say("x", b.at("y"), "together")
		}
		r.waitFor(t, "done together", want+together)
		a.say("x", b.at("y"), "alone")
		want += together
		r.waitFor(t, "done alone", want/together)
	}
	p := knock(t, b).enter("one")
	p.write(append(frame.AppendMessage(greeted(), frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("broken")), 99))
	r.waitFor(t, "done broken", 1)
	p.hungUp()
}
