package bare

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// nodeVariable makes the test binary a node until its input ends: two in one
// process race for grpc's logger, which protoactor's remote sets at each start.
const nodeVariable = "TROUPE_BARE_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeVariable) == "" {
		os.Exit(m.Run())
	}
	n, err := NewNode(100)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(n.Address())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	n.Close()
}

// other starts a node of another process and gives its address.
func other(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), nodeVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// The loads end, which is all that is asked of a yardstick.
func TestLoadsEnd(t *testing.T) {
	m := wrapperspb.Bytes(make([]byte, 100))
	if Sends(1000, 100, m) <= 0 || Asks(1000, 8, m) <= 0 {
		t.Error("no time passed")
	}
	b := other(t)
	a, err := NewNode(100)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if n := len(a.PingPong(b, 10, m)); n != 10 {
		t.Errorf("%d times, want 10", n)
	}
	if a.OneWay(b, 1000, 100, m) <= 0 {
		t.Error("no time passed")
	}
}
