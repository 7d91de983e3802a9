package nested_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFolderThatIsALink: what runs in a sandbox puts a link in place of the folder that
// holds those of the containers below it. Nothing outside is made, or removed.
func TestFolderThatIsALink(t *testing.T) {
	r, outside := newRig(t), t.TempDir()
	v := r.visitor()
	v.want(launch("R.a"), done, "")
	p := r.launcher.Next(t)
	v.want(launch("R.a.b"), done, "")
	below := r.launcher.Next(t)
	if want := r.dir + "/containers/a/containers/b"; below.Spec.Dir != want || below.Spec.Within != r.dir {
		t.Errorf("it is in %q, within %q", below.Spec.Dir, below.Spec.Within)
	}
	below.Exit(0)
	v.want(wait("R.a.b"), done, "")
	p.Exit(0)
	v.want(wait("R.a"), done, "")
	kept := filepath.Join(outside, "a", "containers", "b", "kept")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(kept), 0o755), os.WriteFile(kept, nil, 0o600),
		os.Rename(r.dir+"/containers", r.dir+"/moved"), os.Symlink(outside, r.dir+"/containers"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	v.want(remove("R.a.b"), refused, "escapes")
	v.want(remove("R.a"), refused, "escapes")
	v.want(launch("R.c"), invalid, "escapes")
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
		t.Errorf("outside there is %v, %v", left, err)
	}
	for _, err := range []error{os.Remove(r.dir + "/containers"), os.Rename(r.dir+"/moved", r.dir+"/containers")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	v.want(remove("R.a"), done, "")
	if _, err := os.Stat(r.dir + "/containers/a"); !os.IsNotExist(err) {
		t.Errorf("its folder is left: %v", err)
	}
}
