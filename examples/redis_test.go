package examples

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"troupe/tools/processtest"
)

// ask sends a request, and returns the lines of the answer, in words.
func ask(t *testing.T, status int, method, url, body string) (lines [][]string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s %s: %s, %v: %s", method, url, response.Status, err, text)
	}
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

// redis sends a command to a server.
func redis(address string, command ...string) string {
	host, port, _ := strings.Cut(address, ":")
	out, err := exec.Command("redis-cli", append([]string{"-h", host, "-p", port}, command...)...).CombinedOutput()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}

// holds waits until there are n members that know the same, and returns the
// address of the primary.
func holds(t *testing.T, url string, n int, value string) (primary string) {
	t.Helper()
	processtest.Eventually(t, "all members know "+value, func() bool {
		members := ask(t, http.StatusOK, http.MethodGet, url, "")
		primary = ""
		for _, m := range members {
			if len(m) < 3 || redis(m[2], "GET", "key") != value {
				return false
			}
			if m[1] == "primary" {
				primary = m[2]
			}
		}
		return len(members) == n && primary != "" && strings.Contains(redis(primary, "INFO", "replication"), fmt.Sprintf("connected_slaves:%d", n-1))
	})
	return primary
}

// What a primary was told is there when it is killed, and so are as many
// members as are wanted.
func TestRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keeper := w.start("redis", "-members=3", "-listen=127.0.0.1:0")
	url := keeper.Await(keeper.Out, `(http://\S+)`)[1]
	primary := holds(t, url, 3, "")
	if got := redis(primary, "SET", "key", "one"); got != "OK" {
		t.Fatal(got)
	}
	holds(t, url, 3, "one")

	_, port, _ := strings.Cut(primary, ":")
	w.kill("redis-server *:" + port)
	keeper.Await(keeper.Out, `(?s)TASK_FAILED.* is the primary`)
	if primary = holds(t, url, 3, "one"); strings.HasSuffix(primary, ":"+port) {
		t.Error("the primary is the one that was killed")
	}

	ask(t, http.StatusOK, http.MethodPut, url, "5")
	if got := redis(primary, "SET", "key", "two"); got != "OK" {
		t.Fatal(got)
	}
	holds(t, url, 5, "two")
	ask(t, http.StatusOK, http.MethodPut, url, "1")
	if got := holds(t, url, 1, "two"); got != primary {
		t.Errorf("%s is the primary, not %s", got, primary)
	}

	for _, wrong := range []string{"", "x", "0", "-1", "101", "99999999999"} {
		ask(t, http.StatusBadRequest, http.MethodPut, url, wrong)
	}
}
