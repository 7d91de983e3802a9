//go:build vm

package fetcher

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// network makes the loopback device worse by netem(8), until the test ends.
func network(t *testing.T, how string) {
	t.Helper()
	tc(t, "qdisc replace dev lo root netem "+how)
	t.Cleanup(func() { tc(t, "qdisc del dev lo root") })
}

func tc(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("/usr/sbin/tc", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Errorf("tc %s: %v %s", args, err, out)
	}
}

// TestBadNetwork: what is late, lost, twice there and out of order arrives whole.
func TestBadNetwork(t *testing.T) {
	big := make([]byte, 2<<20)
	chance := rand.NewChaCha8([32]byte{7})
	if _, err := chance.Read(big); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) }))
	t.Cleanup(s.Close)
	network(t, "delay 20ms 10ms loss 3% duplicate 2%")
	sandbox := t.TempDir()
	uris := []URI{{Value: s.URL + "/big#sha256=" + sum256(string(big))}, {Value: s.URL + "/cached", Cache: true}}
	if log, err := try(t, Order{Sandbox: sandbox, URIs: uris, Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 30}}); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, name := range []string{"big", "cached"} {
		if got, err := os.ReadFile(filepath.Join(sandbox, name)); err != nil || !bytes.Equal(got, big) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestNetworkThatIsCut: a download that stands still is given up, and says so.
func TestNetworkThatIsCut(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write(make([]byte, 100_000))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		tc(t, "qdisc replace dev lo root netem loss 100%")
		_, _ = w.Write(make([]byte, 900_000))
		<-r.Context().Done()
	}))
	t.Cleanup(s.CloseClientConnections)
	network(t, "delay 1ms")
	_, err := try(t, Order{Sandbox: t.TempDir(), URIs: []URI{{Value: s.URL + "/half"}}, Settings: Settings{StallTimeout: 2 * time.Second}})
	if err == nil || !strings.Contains(err.Error(), "2s") || !strings.Contains(err.Error(), "/half") {
		t.Errorf("error is %v", err)
	}
}
