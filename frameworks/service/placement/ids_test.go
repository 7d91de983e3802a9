package placement

import (
	"strings"
	"testing"

	"troupe/frameworks/service/app"
	"troupe/messages/names"
)

func TestID(t *testing.T) {
	id := ID("/prod/web.api", [16]byte{0xff, 1, 2, 3, 4, 5, 0xff, 7, 0xff, 9, 10, 11, 12, 13, 14, 15})
	if want := "prod_web.api.ff010203-0405-4f07-bf09-0a0b0c0d0e0f"; id != want {
		t.Errorf("%s, want %s", id, want)
	}
	if p, err := AppOf(id); p != "/prod/web.api" || err != nil {
		t.Error(p, err)
	}
	for _, bad := range []string{"", "web", "UP.x", ".x", "a__b-.x"} {
		if p, err := AppOf(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %q, %v", bad, p, err)
		}
	}
	long, err := app.ParsePath("/"+strings.Repeat("a", 199), app.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := names.CheckID("id", ID(long, [16]byte{})); err != nil {
		t.Error(err)
	}
}

// Whatever an id is read as, tasks of that app are read as the same.
func FuzzAppOf(f *testing.F) {
	for _, s := range []string{"prod_web.ff010203-0405-4f07-bf09-0a0b0c0d0e0f", "web.instance-1._app.2", "a.b.c", ".", "_._", "a_.x", "web"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := AppOf(text)
		if err != nil {
			return
		}
		if again, err := AppOf(ID(p, [16]byte{1})); again != p || err != nil {
			t.Errorf("%q is of %q, whose tasks are of %q: %v", text, p, again, err)
		}
	})
}
