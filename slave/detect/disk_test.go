package detect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/messages/resources"
)

// shelf is disks as a test says: what is mounted, and what folders were made.
type shelf struct {
	mounts  map[string]uint64
	folders []string
}

func (s *shelf) Folder(root string) error {
	s.folders = append(s.folders, root)
	return nil
}

func (s *shelf) Mount(root string) (uint64, error) {
	size, ok := s.mounts[root]
	if !ok {
		return 0, errors.New("is not mounted")
	}
	return size, nil
}

const (
	path  = `{"name":"disk","type":"SCALAR","scalar":{"value":100},"disk":{"source":{"type":"PATH","path":{"root":"/p"}}}}`
	mount = `{"name":"disk","type":"SCALAR","disk":{"source":{"type":"MOUNT","mount":{"root":"/m"}}}}`
)

func TestDisks(t *testing.T) {
	have := &shelf{mounts: map[string]uint64{"/m": 7 * gigabyte}}
	got, err := Resources("["+path+","+mount+"]", "ads", Machine{CPUs: 1, Memory: gigabyte, Disk: gigabyte}, have)
	if err != nil {
		t.Fatal(err)
	}
	want := "cpus(ads):1; disk(ads)[MOUNT:/m]:7168; disk(ads)[PATH:/p]:100; mem(ads):512; ports(ads):[31000-32000]"
	if got := inOrder(got); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(have.folders) != 1 || have.folders[0] != "/p" {
		t.Errorf("made %v", have.folders)
	}
	if _, err := Resources("["+strings.Replace(mount, "/m", "/n", 1)+"]", "*", Machine{}, have); err == nil ||
		err.Error() != `[0].(disk).disk.source.mount.root: "/n": is not mounted` {
		t.Errorf("got %v", err)
	}
}

// inOrder is r as text in an order that people expect.
func inOrder(r resources.Resources) string {
	parts := strings.Split(r.String(), "; ")
	for i := range parts {
		for j := range i {
			if parts[i] < parts[j] {
				parts[i], parts[j] = parts[j], parts[i]
			}
		}
	}
	return strings.Join(parts, "; ")
}

func TestWhatFlagsCannotSay(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{`"revocable":{}`, `[0].(cpus).revocable: must not be set: estimates say what is revocable`},
		{`"shared":{}`, `[0].(cpus).shared: must not be set`},
		{`"allocation_info":{"role":"a"}`, `[0].(cpus).allocation_info: must not be set`},
		{`"provider_id":{"value":"a"}`, `[0].(cpus).provider_id: "a": must not be set`},
		{`"role":"a","reservation":{}`, `[0].(cpus).reservation: must not be set: dynamic reservations are made by operations`},
		{`"reservations":[{"type":"DYNAMIC","role":"a"}]`, `[0].(cpus).reservations[0].type: DYNAMIC: must be STATIC: dynamic reservations are made by operations`},
		{`"disk":{"persistence":{"id":"v"}}`, `[0].(cpus).disk.persistence: "v": must not be set: volumes are made by operations`},
		{`"disk":{"source":{"type":"RAW"}}`, `[0].(cpus).disk.source.type: RAW: must be PATH or MOUNT`},
		{`"disk":{"source":{"type":"PATH"}}`, `[0].(cpus).disk.source.path.root: must be set`},
		{`"disk":{"source":{"type":"MOUNT"}}`, `[0].(cpus).disk.source.mount.root: must be set`},
	} {
		text := `[{"name":"cpus","type":"SCALAR","scalar":{"value":1},` + c.fields + `}]`
		if _, err := Resources(text, "*", Machine{CPUs: 1}, &shelf{}); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	for text, want := range map[string]string{
		"mem:1;mem:[1-2]":                   `[1].(mem).type: RANGES: must be SCALAR, as before`,
		`[{"name":"cpus","type":"SCALAR"}]`: `[0].(cpus).scalar: must be set`,
		"[" + strings.Replace(path, `"scalar":{"value":100},`, "", 1) + "]": `[0].(disk).scalar: must be set`,
	} {
		if _, err := Resources(text, "*", Machine{CPUs: 1}, &shelf{}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestNoneIsNamed: an agent that is to have no disk is not given one.
func TestNoneIsNamed(t *testing.T) {
	got, err := Resources("cpus:0;disk:0;ports:[]", "*", Machine{CPUs: 4, Memory: gigabyte, Disk: gigabyte}, &shelf{})
	if err != nil || got.String() != "mem:512" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestDisksOfThisMachine(t *testing.T) {
	work := t.TempDir()
	d := DisksOf(work)
	if err := d.Folder("volumes/a b"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(work, "volumes/a b")); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
	if size, err := d.Mount("/"); err != nil || size < megabyte {
		t.Errorf("the root has %d bytes, %v", size, err)
	}
	if _, err := d.Mount("volumes/a b"); err == nil || !strings.Contains(err.Error(), "is not where a file system is mounted") {
		t.Errorf("got %v", err)
	}
	if _, err := d.Mount("missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
