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
	done := make(chan struct{})
	go func() {
		defer close(done)
		// It is not unlocked: the thread ends with its mounts.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("private mounts: %v", err)
			return
		}
		f()
	}()
	<-done
}
