package zookeepertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// jar names the libraries that it needs by itself.
const jar = "/usr/share/java/zookeeper.jar"

// log writers, of which Debian's package brings none.
const logJar = "/usr/share/java/slf4j-simple.jar"

var errPortTaken = errors.New("a port was taken meanwhile")

// server is one process, or the place of one that was killed.
type server struct {
	dir  string // its own, with zoo.cfg, data/ and log
	id   int
	port int

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has been waited for
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Configure writes what a server reads into its folder: its number from 1, the
// host and port for clients, and the lines server.N=HOST:PORT:PORT of an
// ensemble. It is for tests that start servers themselves, with Command.
// Nothing that a test writes has to survive a loss of power, so that nothing
// waits for the disk.
func Configure(dir string, id int, host string, port int, members string) error {
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	config := fmt.Sprintf(`tickTime=200
initLimit=300
syncLimit=25
dataDir=%s
clientPort=%d
clientPortAddress=%s
4lw.commands.whitelist=*
admin.enableServer=false
maxClientCnxns=0
minSessionTimeout=400
maxSessionTimeout=120000
forceSync=no
preAllocSize=1024
%s`, data, port, host, members)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "zoo.cfg"), []byte(config), 0o644),
		os.WriteFile(filepath.Join(data, "myid"), []byte(strconv.Itoa(id)), 0o644),
	)
}

// Command runs the server of a folder that Configure has prepared.
func Command(dir string) *exec.Cmd {
	return exec.Command("java", "-Xms16m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss256k", "-Xshare:auto",
		"-Djava.net.preferIPv4Stack=true", "-Dzookeeper.admin.enableServer=false", "-Dzookeeper.jmx.log4j.disable=true",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", jar+":"+logJar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", filepath.Join(dir, "zoo.cfg"))
}

// start starts the process, which ends with this one.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil && !closed(s.exited) {
		return fmt.Errorf("ZooKeeper server %d runs already", s.id)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := Command(s.dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start ZooKeeper server %d: %w", s.id, err)
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		defer close(exited)
		_ = cmd.Wait() // killed, mostly; the log tells of other ends
	}()
	return nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (s *server) kill() {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	<-exited
}

func (s *server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal ZooKeeper server %d: %w", s.id, err)
	}
	return nil
}

// awaitServing waits until the server answers clients; one that has exited
// will not.
func (s *server) awaitServing() error {
	s.mu.Lock()
	exited := s.exited
	s.mu.Unlock()
	serves := poll(func() bool { return closed(exited) || s.state() != "" })
	if serves && !closed(exited) {
		return nil
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	if bytes.Contains(log, []byte("Address already in use")) {
		return errPortTaken
	}
	return fmt.Errorf("ZooKeeper server %d does not serve; its log:\n%s", s.id, log[max(0, len(log)-4000):])
}

// state is leader, follower or standalone; empty while it does not serve.
func (s *server) state() string {
	for line := range strings.Lines(s.ask("mntr")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && name == "zk_server_state" {
			return value
		}
	}
	return ""
}

// ask sends one of ZooKeeper's four-letter words; a server that does not
// answer says nothing.
func (s *server) ask(word string) string {
	c, err := net.DialTimeout("tcp", s.address(), time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return ""
	}
	if _, err := io.WriteString(c, word); err != nil {
		return ""
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return ""
	}
	return string(answer)
}
