package flags

import (
	"testing"

	"github.com/spf13/pflag"
)

// A path stays one: what the file holds does not take its place.
func TestPathsAreNotRead(t *testing.T) {
	var p Path
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Var(&p, "credentials", "")
	for given, want := range map[string]string{"/a/b": "/a/b", "file:///a/b": "/a/b", "": "", "file": "file"} {
		if err := set.Parse([]string{"--credentials=" + given}); err != nil {
			t.Fatal(err)
		}
		if err := Resolve(set, func(string) (string, bool) { return "", false }); err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", given, p, err)
		}
	}
}
