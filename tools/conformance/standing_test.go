package conformance

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// A standing reservation of a part of the cluster follows its size, and one that
// expires is given back, without anybody doing anything.
func TestStandingReservations(t *testing.T) {
	c := newCluster(t) // of 8 cpus
	troupe := func(line string) {
		t.Helper()
		out, err := c.Command(append(strings.Fields(line), "--master="+c.master)...).CombinedOutput()
		if err != nil {
			t.Fatalf("troupe %s: %v: %s", line, err, out)
		}
	}
	reserved := func(role string, cpus float64) {
		t.Helper()
		var last string
		if !processtest.Within(processtest.Patience, func() bool { last = c.get("/slaves"); return reservedOf(t, last, role) == cpus }) {
			t.Fatalf("not %v cpus are reserved for %s: %s", cpus, role, last)
		}
	}
	troupe("reservations set share web cpus:25%")
	reserved("web", 2)
	another := c.Start(c.Command("agent", "--port=0", "--master="+c.master, "--work_dir="+filepath.Join(c.Dir, "another"),
		"--resources=cpus:16;mem:2048;disk:1024", "--registration_backoff_factor=50ms"))
	reserved("web", 6)
	another.Signal(syscall.SIGUSR1)
	if code := another.Wait(); code != 0 {
		t.Errorf("the agent's exit status is %d", code)
	}
	reserved("web", 2)
	troupe("reservations set nightly batch cpus:3 --for=1hrs")
	reserved("batch", 3)
	troupe("reservations set nightly batch cpus:3 --for=1secs") // in place of the other
	reserved("batch", 0)
	reserved("web", 2)
	troupe("reservations remove share")
	reserved("web", 0)
}

// reservedOf is how many cpus of all agents are reserved for a role.
func reservedOf(t *testing.T, text, role string) (cpus float64) {
	t.Helper()
	var page struct {
		Agents []struct {
			Reserved map[string]struct{ Cpus float64 } `json:"reserved_resources"`
		} `json:"slaves"`
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	for _, a := range page.Agents {
		cpus += a.Reserved[role].Cpus
	}
	return cpus
}
