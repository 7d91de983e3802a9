// Build makes the binaries of the init that slave/container/linux embeds, by go
// generate. Its own test shows that the committed ones are what it makes.
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	for _, arch := range architectures {
		if err := build(".", arch, "init_"+arch+".bin"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

var architectures = []string{"amd64", "arm64"}

// build makes the init of an architecture, the same bytes wherever it is done by the
// same toolchain. folder is that of slave/container/linux.
func build(folder, arch, output string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", output, "./init")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GODEBUG=")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building the init for %s: %w", arch, err)
	}
	return nil
}
