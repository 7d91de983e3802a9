package daemon

import (
	"net"
	"os"
	"strings"
	"testing"
)

// A work directory keeps the id of its cluster, and one that was spoiled is
// refused, with its name and what to do.
func TestClusterOfAWorkDirectory(t *testing.T) {
	dir := t.TempDir()
	if id, err := readCluster(dir); id != "" || err != nil {
		t.Errorf("a new one belongs to %q, %v", id, err)
	}
	for _, id := range []string{"c", "68efc341-25d3-4305-8cde-0d13ba972218"} {
		if err := writeCluster(dir, id); err != nil {
			t.Fatal(err)
		}
		if got, err := readCluster(dir); got != id || err != nil {
			t.Errorf("it belongs to %q, %v; want %q", got, err, id)
		}
	}
	for _, spoiled := range []string{"", "\n", "cut off", "two\nlines\n", "\x00\n", strings.Repeat("x", 300) + "\n"} {
		if err := os.WriteFile(clusterFile(dir), []byte(spoiled), 0o644); err != nil {
			t.Fatal(err)
		}
		if id, err := readCluster(dir); err == nil || !strings.Contains(err.Error(), clusterFile(dir)) || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%q is read as %q, %v", spoiled, id, err)
		}
	}
	if err := writeCluster(dir+"/absent", "c"); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("written where nothing can be: %v", err)
	}
}

func TestAddressesOfThisMachineAlone(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true,
		"10.0.0.1:1": false, "example.org:1": false, "[fe80::1]:1": false, "nonsense": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if elsewhere([]string{"127.0.0.1:1", "[::1]:2"}) || !elsewhere([]string{"127.0.0.1:1", "10.0.0.1:2"}) {
		t.Error("servers of other machines are not told from this one's")
	}
}

// Clients of Mesos are told an address, where the machine's name has one.
func TestNamesAreResolved(t *testing.T) {
	for _, address := range []string{"10.0.0.1", "::1"} {
		if got := resolved(address); got != address {
			t.Errorf("%s became %s", address, got)
		}
	}
	if got := resolved("localhost"); net.ParseIP(got) == nil {
		t.Errorf("localhost became %s", got)
	}
	if got := resolved("no such name"); got != "no such name" {
		t.Errorf("a name that cannot be became %s", got)
	}
}
