package files

import (
	"errors"
	"net/url"
	"testing"
)

// FuzzQuery: any query is refused as one, or asks for something that can be.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"path=/a&offset=0&length=5", "path=", "path=%00", "path=/a&offset=-2", "path=../../etc/passwd", "path=/a&length=99999999999999999999"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		if p, err := pathOf(values); (err == nil) == (p == "") || err != nil && !errors.Is(err, errQuery) {
			t.Errorf("%q: path %q, %v", text, p, err)
		}
		for _, name := range []string{"offset", "length"} {
			if n, err := number(values, name); n < -1 || err != nil && !errors.Is(err, errQuery) {
				t.Errorf("%q: %s %d, %v", text, name, n, err)
			}
		}
	})
}
