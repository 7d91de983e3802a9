package api

import (
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

func TestProblemsBeginWhereTheRequestDoes(t *testing.T) {
	root := app.NewRoot()
	for _, id := range []app.Path{"/a", "/b", "/g/a", "/g/b", "/h/sub/a"} {
		root = root.With(&app.App{ID: id})
	}
	for id, want := range map[app.Path]string{
		"/": "", "/b": "/apps(1)", "/g": "/groups(0)", "/g/b": "/groups(0)/apps(1)", "/h/sub": "/groups(1)/groups(0)", "/h/sub/a": "/groups(1)/groups(0)/apps(0)",
	} {
		if got := strings.Join(placeOf(root, id), ""); got != want {
			t.Errorf("%s is at %q, want %q", id, got, want)
		}
	}
	found := app.Problems{{Path: "/groups(0)/apps(1)/id", Text: "1"}, {Path: "/groups(0)/role", Text: "2"}, {Path: "/groups(01)/x", Text: "3"}, {Path: "/", Text: "4"}, {Path: "/groups(0)/apps(1)", Text: "5"}}
	want := app.Problems{{Path: "/id", Text: "1"}, {Path: "/role", Text: "2"}, {Path: "/groups(01)/x", Text: "3"}, {Path: "/", Text: "4"}, {Path: "/", Text: "5"}}
	if got := fromHere(found, root, "/g/b"); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := fromHere(found, nil, "/g/b"); !slices.Equal(got, found) {
		t.Errorf("of what was sent: %v", got)
	}
}
