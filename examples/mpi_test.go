package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Four ranks on two hosts compute pi, though one of the hosts is killed.
func TestMPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pi := filepath.Join(w.Dir, "pi")
	if out, err := exec.Command("mpicc.mpich", "-o", pi, filepath.Join("mpi", "testdata", "pi.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gate := filepath.Join(w.Dir, "gate")
	job := w.start("mpi", "-hosts=2", "-ranks=2", "-retries=1", pi, gate)
	job.Await(job.Out, "began")
	w.kill("--proxy-id 1")
	job.Await(job.Out, "(?s)began.*began")
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := job.Wait(); code != 0 || !strings.HasSuffix(job.Out.String(), "pi is 3.141592654, by 4 ranks\n") {
		t.Errorf("it ended with %d and wrote %s", code, job.Out)
	}
}

// A program that fails ends the job.
func TestMPIFails(t *testing.T) {
	t.Parallel()
	job := newWorld(t).start("mpi", "-retries=0", "no-such-program")
	if code := job.Wait(); code != 1 || !strings.Contains(job.Err.String(), "mpiexec: exit status 255") {
		t.Errorf("it ended with %d: %s", code, job.Err)
	}
}
