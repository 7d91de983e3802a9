package api

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzParseQuery: any query is refused with its parameter's name and value, or
// asks for something that can be.
func FuzzParseQuery(f *testing.F) {
	for _, q := range []string{"", "limit=5&offset=0&order=asc", "limit=-1", "limit=99999999999999999999", "order=up", "slave_id=a%2Fb&framework_id=&task_id=%00"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := parseQuery(values)
		if err == nil && (q.limit < 0 || q.offset < 0) {
			t.Errorf("%q: limit %d, offset %d", text, q.limit, q.offset)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "limit: ") && !strings.HasPrefix(err.Error(), "offset: ") && !strings.HasPrefix(err.Error(), "order: ") {
			t.Errorf("%q: the error names no parameter: %v", text, err)
		}
	})
}
