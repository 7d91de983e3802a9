package ensemble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"troupe/messages/masters"
)

// What a server grants is learned however its answer is cut, and bounds the
// session only downwards.
func TestGrantedTimeout(t *testing.T) {
	for _, c := range []struct {
		asked, granted, want time.Duration
		pieces               int
	}{
		{10 * time.Second, 4 * time.Second, 4 * time.Second, 40},
		{10 * time.Second, 10 * time.Second, 10 * time.Second, 1},
		{10 * time.Second, 40 * time.Second, 10 * time.Second, 7},
		{10 * time.Second, -1 * time.Second, 10 * time.Second, 12},
		{10 * time.Second, 0, 10 * time.Second, 3},
	} {
		s := &Session{o: Options{SessionTimeout: c.asked}, began: time.Now()}
		ours, theirs := net.Pipe()
		answer := binary.BigEndian.AppendUint32(nil, 36)
		answer = binary.BigEndian.AppendUint32(answer, 0)
		answer = binary.BigEndian.AppendUint32(answer, uint32(int32(c.granted.Milliseconds())))
		answer = append(answer, make([]byte, 28)...)
		go func() {
			defer theirs.Close()
			for len(answer) > 0 {
				n := min(c.pieces, len(answer))
				if _, err := theirs.Write(answer[:n]); err != nil {
					t.Error(err)
					return
				}
				answer = answer[n:]
			}
		}()
		if _, err := io.ReadAll(&heard{Conn: ours, session: s}); err != nil {
			t.Fatal(err)
		}
		if got := s.timeout(); got != c.want || s.heard.Load() == 0 {
			t.Errorf("asked %s, granted %s in pieces of %d: %s", c.asked, c.granted, c.pieces, got)
		}
	}
}

// What answers at the address may be anything. It costs no memory, no time and
// no process, and the log says what it is.
func FuzzForeignServer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"))
	f.Add([]byte("\x00\x00\x00\x24\x00\x00\x00\x00\x00\x00\x27\x10" + string(make([]byte, 28)) + "\x00\x00\x00\x0f"))
	f.Add([]byte("\x7f\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, said []byte) {
		s := &Session{o: Options{SessionTimeout: time.Second}, began: time.Now()}
		h := &heard{Conn: stub{}, session: s}
		err := h.inspect(said)
		if len(h.greeting) > greetingBytes || len(h.head) > 4 || h.left < 0 || h.left > maxAnswer {
			t.Errorf("%q: %d bytes of greeting, %d of head, %d left", said, len(h.greeting), len(h.head), h.left)
		}
		if err == nil && len(said) > 4 && binary.BigEndian.Uint32(said) > maxGreeting {
			t.Errorf("%q is a ZooKeeper's", said)
		}
	})
}

type stub struct{ net.Conn }

func (stub) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// A server of something else is named in the log, and does not keep the others
// from being tried.
func TestForeignServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") // it may be gone
			_ = c.Close()
		}
	})
	defer served.Wait()
	defer l.Close()
	core, logs := observer.New(zap.WarnLevel)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := dial(ctx, Options{
			Place: masters.ZooKeeper{Servers: []string{l.Addr().String()}, Path: "/p"}, SessionTimeout: 10 * time.Second, Logger: zap.New(core),
		})
		ended <- err
	}()
	late := time.After(3 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for logs.Len() == 0 {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("nothing is logged")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if text := fmt.Sprint(logs.All()[0].ContextMap()); !strings.Contains(text, "is no ZooKeeper") || !strings.Contains(text, "HTTP") {
		t.Errorf("the log says %s", text)
	}
}

// A deadline that is further away than a session lasts becomes a third of it.
func TestDeadlinesAreBounded(t *testing.T) {
	h := &heard{session: &Session{o: Options{SessionTimeout: 9 * time.Second}}}
	if got := h.bounded(time.Time{}); !got.IsZero() {
		t.Errorf("no deadline became %s", got)
	}
	near := time.Now().Add(6 * time.Second)
	if got := h.bounded(near); !got.Equal(near) {
		t.Errorf("%s became %s", near, got)
	}
	if got := h.bounded(time.Now().Add(time.Hour)); got.After(near) {
		t.Errorf("an hour became %s", time.Until(got))
	}
}
