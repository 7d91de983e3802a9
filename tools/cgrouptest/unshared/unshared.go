// Package unshared runs tests with mounts of their own. Imported by tests.
package unshared

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Run runs f on a thread with mounts of its own, which are gone afterwards.
// f must not call t.Fatal.
func Run(t testing.TB, f func()) {
	t.Helper()
	elsewhere(func() {
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("private mounts: %v", err)
			return
		}
		f()
	})
}

// elsewhere runs f on a thread that ends with it. The first thread never ends, and what
// it sees is what /proc/self tells: it is not taken.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			elsewhere(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}
