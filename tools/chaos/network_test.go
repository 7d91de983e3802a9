package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// netVariable is set in the process that has namespaces of its own.
const netVariable = "TROUPE_CHAOS_NET"

// noPartitions is why there are none; "" where there are.
var noPartitions = "the tests do not run in namespaces of their own"

// unsettled is the exit status of a process that cannot use its namespaces.
const unsettled = 97

// apart runs the tests once more, in a process with network and mount
// namespaces of its own, so that nothing it does to them is seen elsewhere.
// What it returns is false when that cannot be.
func apart() (code int, done bool) {
	for _, tool := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			noPartitions = err.Error()
			return 0, false
		}
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.Env = append(os.Environ(), netVariable+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	if err := again.Start(); err != nil {
		noPartitions = fmt.Sprintf("network namespaces cannot be made: %v", err)
		return 0, false
	}
	var exit *exec.ExitError
	if err := again.Wait(); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	if code = again.ProcessState.ExitCode(); code == unsettled {
		noPartitions = "network namespaces cannot be used"
		return 0, false
	}
	return code, true
}

// settle prepares namespaces that apart has made.
func settle() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// ip keeps the names of namespaces below /run.
	if err := syscall.Mount("chaos", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return ip("link set lo up")
}

// ip runs ip(8).
func ip(format string, args ...any) error {
	words := strings.Fields(fmt.Sprintf(format, args...))
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(words, " "), err, out)
	}
	return nil
}

// network is a bridge with nodes, each in a network namespace of its own. A
// nil one is this machine's loopback, which cannot be parted.
type network struct {
	t      *testing.T
	subnet int
	nodes  []int // that have joined

	mu sync.Mutex
	// faults are those that have not healed; some are the same.
	faults []cut
}

// cut is a node that is isolated from all, or one of two that are parted.
type cut struct{ node, from int }

// everybody is what an isolated node is cut from.
const everybody = -1

// newNetwork makes a bridge; the test's own address on it is the last. All of it
// goes with the test, which may be run again.
func newNetwork(t *testing.T, subnet int) *network {
	t.Helper()
	if noPartitions != "" {
		t.Logf("no partitions: %s", noPartitions)
		return nil
	}
	n := &network{t: t, subnet: subnet}
	n.must(
		ip("link add br%d type bridge", subnet),
		ip("addr add %s/24 dev br%d", n.address(253), subnet),
		ip("link set br%d up", subnet),
	)
	t.Cleanup(n.remove)
	return n
}

func (n *network) remove() {
	for _, node := range n.nodes {
		n.must(ip("link del %s", n.cable(node)), ip("netns del %s", n.namespace(node)))
	}
	n.must(ip("link del br%d", n.subnet))
}

func (n *network) must(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		n.t.Error(err)
	}
}

// address is where a node is.
func (n *network) address(node int) string {
	if n == nil {
		return "127.0.0.1"
	}
	return fmt.Sprintf("10.78.%d.%d", n.subnet, node+1)
}

func (n *network) namespace(node int) string { return fmt.Sprintf("n%d-%d", n.subnet, node) }
func (n *network) cable(node int) string     { return fmt.Sprintf("v%d-%d", n.subnet, node) }

// join makes a node.
func (n *network) join(node int) {
	if n == nil {
		return
	}
	name := n.namespace(node)
	n.nodes = append(n.nodes, node)
	n.must(
		ip("netns add %s", name),
		ip("link add %s type veth peer name eth0 netns %s", n.cable(node), name),
		ip("link set %s master br%d up", n.cable(node), n.subnet),
		ip("-n %s link set lo up", name),
		ip("-n %s addr add %s/24 dev eth0", name, n.address(node)),
		ip("-n %s link set eth0 up", name),
	)
}

// inside makes a command run at a node.
func (n *network) inside(node int, cmd *exec.Cmd) *exec.Cmd {
	if n == nil {
		return cmd
	}
	there := exec.Command("nsenter", append([]string{"--net=/run/netns/" + n.namespace(node), cmd.Path}, cmd.Args[1:]...)...)
	there.Dir, there.Env = cmd.Dir, cmd.Env
	return there
}

// isolate takes a node's cable out, and returns what puts it back.
func (n *network) isolate(node int) (heal func()) { return n.inflict(cut{node, everybody}) }

// part lets two nodes not send to each other any more, until healed.
func (n *network) part(a, b int) (heal func()) {
	there, back := n.inflict(cut{a, b}), n.inflict(cut{b, a})
	return func() { there(); back() }
}

// inflict makes a cut, unless it is there already; the last one to heal it
// does.
func (n *network) inflict(c cut) (heal func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.faults, c) {
		n.must(n.apply(c, true))
	}
	n.faults = append(n.faults, c)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		i := slices.Index(n.faults, c)
		n.faults = slices.Delete(n.faults, i, i+1)
		if !slices.Contains(n.faults, c) {
			n.must(n.apply(c, false))
		}
	}
}

func (n *network) apply(c cut, on bool) error {
	if c.from == everybody {
		return ip("link set %s %s", n.cable(c.node), map[bool]string{true: "down", false: "up"}[on])
	}
	return ip("-n %s route %s blackhole %s/32", n.namespace(c.node), map[bool]string{true: "add", false: "del"}[on], n.address(c.from))
}
