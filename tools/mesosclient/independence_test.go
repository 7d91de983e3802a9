package mesosclient

import (
	"os/exec"
	"strings"
	"testing"
)

// The client is written from the protocol alone: of this module it builds on
// the generated types and on nothing else, near or far.
func TestSharesNothingWithServers(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		inside, ours := strings.CutPrefix(strings.TrimSpace(line), "troupe/")
		seen++
		if ours && inside != "tools/mesosclient" && inside != "messages/mesos" && !strings.HasPrefix(inside, "messages/mesos/") {
			t.Errorf("depends on %s", inside)
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages seen", seen)
	}
}
