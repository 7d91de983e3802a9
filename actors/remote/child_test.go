package remote

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors/address"
)

// childVar makes the test binary a peer in a process of its own.
const childVar = "TROUPE_REMOTE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		if err := child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child is a system that counts what it gets and sends it back to whoever
// wants an echo, until its input ends. For each line of input it prints the
// count.
func child(in io.Reader, out io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := newRecorder()
	var tr *Transport
	var count atomic.Int64
	r.hook = func(from, to address.PID, _ string, m proto.Message) {
		count.Add(1)
		if strings.HasPrefix(to.Name, "echo") {
			if err := tr.Send(to, from, m); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
	if tr, err = New(Config{Listener: ln, Address: ln.Addr().String(), Incarnation: uuid.NewString(), Receiver: r, Limits: quick}); err != nil {
		return err
	}
	tr.Start()
	fmt.Fprintln(out, tr.cfg.Address, tr.cfg.Incarnation)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fmt.Fprintln(out, count.Load())
	}
	return lines.Err()
}

// process is a child as its parent sees it.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	echo address.PID
	sink address.PID
}

func spawnChild(t testing.TB) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(exe)}
	p.cmd.Env = append(os.Environ(), childVar+"=1")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	fields := strings.Fields(p.line())
	if len(fields) != 2 {
		t.Fatalf("the child said %q", fields)
	}
	p.echo = address.PID{Name: "echo", Address: fields[0], Incarnation: fields[1]}
	p.sink = address.PID{Name: "sink", Address: fields[0], Incarnation: fields[1]}
	return p
}

func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(s)
}

// count asks the child how many messages it got.
func (p *process) count() int {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "count\n"); err != nil {
		p.t.Fatal(err)
	}
	n, err := strconv.Atoi(p.line())
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the child, if it has not ended.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()         // it was killed
	}
}

// fill sends n messages of a kilobyte.
func (s *system) fill(to address.PID, n int) {
	s.t.Helper()
	m := wrapperspb.String(strings.Repeat("k", 1024))
	for range n {
		if err := s.Send(s.at("x"), to, m); err != nil {
			s.t.Fatal(err)
		}
	}
}
