package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCommittedBinaries are what this toolchain builds of the sources.
func TestCommittedBinaries(t *testing.T) {
	for _, arch := range architectures {
		fresh := filepath.Join(t.TempDir(), arch)
		if err := build("..", arch, fresh); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(fresh)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../init_" + arch + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the init for %s is not what its sources make: run go generate ./slave/container/linux", arch)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	if err := build("..", "no-such", filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("built for an architecture that does not exist")
	}
}
