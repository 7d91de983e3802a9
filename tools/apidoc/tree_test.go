package main

import (
	"strings"
	"testing"
)

func printed(t *testing.T, text string) string {
	t.Helper()
	document, err := parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var out strings.Builder
	document.print(&out, "")
	return out.String()
}

func TestPrint(t *testing.T) {
	long := strings.Repeat("x", 70)
	for text, want := range map[string]string{
		`{"b":1,"a":[],"c":{}}`: `{"b": 1, "a": [], "c": {}}`, // in their order
		`[1,2]`:                 `[1, 2]`,
		`[1,2,3]`:               "[\n  1,\n  2,\n  …\n]",
		`"<&>"`:                 `"<&>"`,
		`[1.50,true,null]`:      "[\n  1.50,\n  true,\n  …\n]",
		`{"a":"` + long + `","b":{"c":"` + long + `"}}`: "{\n  \"a\": \"" + long + "\",\n  \"b\": {\"c\": \"" + long + "\"}\n}",
		`"` + strings.Repeat("é", 300) + `"`:            `"` + strings.Repeat("é", maxText-1) + `…"`,
	} {
		if got := printed(t, text); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", text, got, want)
		}
	}
}

func TestManyMembersAreCut(t *testing.T) {
	text := `{"k":0` + strings.Repeat(`,"k":0`, 3*shown.members) + `}`
	if got := strings.Count(printed(t, text), "\n"); got != shown.members+2 {
		t.Errorf("%d lines", got)
	}
}

func TestWhatIsNoDocument(t *testing.T) {
	for _, text := range []string{"", "{", `{"a"}`, "[1", "1 2", "plain"} {
		if got, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func TestMember(t *testing.T) {
	document, err := parse([]byte(`{"list":[{"id":{"value":"one \"1\""}},{"id":{"value":"two"}}],"n":5,"none":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"list id value": `one "1"`, "n": "5", "none id": "", "absent x": "", "n x": ""} {
		if got := document.member(strings.Fields(path)...).string(); got != want {
			t.Errorf("%s is %q", path, got)
		}
	}
}

func TestStable(t *testing.T) {
	s := newStable()
	s.replace("127.0.0.1:4711", masterAddress)
	s.replace("4711", "5050")
	one, two := "01234567-89ab-cdef-0123-456789abcdef", "fedcba98-89ab-cdef-0123-456789abcdef"
	for _, test := range []struct{ text, want string }{
		{`{"id":"` + one + `-O7"}`, `{"id": "` + fixedUUID + `000000000001-O1"}`},
		{`["` + two + `","` + one + `"]`, `["` + fixedUUID + `000000000002", "` + fixedUUID + `000000000001"]`},
		{`["-O9","-O7"]`, `["-O2", "-O1"]`},
		{`{"port":4711,"pid":"master@127.0.0.1:4711"}`, `{"port": 5050, "pid": "master@127.0.0.1:5050"}`},
		{`{"uuid":"MDAwMDAwMDAwMDAwMDAwMQ==","user":"me"}`, `{"uuid": ` + sixteen + `, "user": "root"}`},
		{`{"uuid":{"value":"MDAwMDAwMDAwMDAwMDAwMQ=="}}`, `{"uuid": {"value": ` + sixteen + `}}`},
		{`{"timestamp":1795229690.86,"nanoseconds":1795229690860000000,"build_time":1795226135}`, `{"timestamp": 1700000000.0, "nanoseconds": 1700000000000000000, "build_time": 1700000000}`},
		{`{"nanoseconds":5000000000,"cpus_used":1.1}`, `{"nanoseconds": 5000000000, "cpus_used": 1.1}`},
		{`{"slave/uptime_secs":17.2,"mem_rss_bytes":123,"mem_limit_bytes":0,"heartbeat_interval_seconds":15.0}`, `{"slave/uptime_secs": 1.5, "mem_rss_bytes": 15, "mem_limit_bytes": 0, "heartbeat_interval_seconds": 15.0}`},
		{`{"executor_pid":77,"name":"slave/uptime_secs","value":3.5}`, `{"executor_pid": 4242, "name": "slave/uptime_secs", "value": 1.5}`},
		{`{"since":"2026-11-21T10:52:24.123Z","name":"$0a1b2c3d/7"}`, `{"since": "2023-11-14T22:13:20Z", "name": "$00000000/7"}`},
	} {
		document, err := parse([]byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		s.tree(document, "")
		if got, ok := document.line(1000, shown.elements); !ok || got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.text, got, test.want)
		}
	}
	if got, want := s.figures("go_x{a=\"b\"} 0.25\n# HELP go_x of 4711"), "go_x{a=\"b\"} 1\n# HELP go_x of 5050"; got != want {
		t.Errorf("figures are %q", got)
	}
}

func TestCurl(t *testing.T) {
	s := newStable()
	s.replace("127.0.0.1:4711", masterAddress)
	to := &process{address: "127.0.0.1:4711"}
	for _, test := range []struct {
		ask  request
		want string
	}{
		{request{to: to, method: "GET", path: "/state?a=b"}, "curl -i 'http://127.0.0.1:5050/state?a=b'"},
		{request{to: to, method: "POST", path: "/x"}, "curl -i -X POST 'http://127.0.0.1:5050/x'"},
		{request{to: to, method: "POST", path: "/x", headers: []string{asJSON}, body: `{"a": 1}`}, "curl -i 'http://127.0.0.1:5050/x' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"a\": 1}'"},
		{request{to: to, method: "POST", path: "/x", body: "2\n{}"}, "curl -i 'http://127.0.0.1:5050/x' \\\n  --data-binary '2\n{}'"},
		{request{to: to, method: "DELETE", path: "/x", body: "a=b"}, "curl -i -X DELETE 'http://127.0.0.1:5050/x' \\\n  -d 'a=b'"},
		{request{to: to, method: "POST", path: "/x", body: `{"a": [1, 2, 3], "b": "it's"}`}, "curl -i 'http://127.0.0.1:5050/x' \\\n  -d '{\"a\": [1, 2, 3], \"b\": \"it'\\''s\"}'"},
		{request{to: to, method: "GET", path: "/x", lasts: true}, "curl -iN 'http://127.0.0.1:5050/x'"},
		{request{to: to, method: "GET", path: "/x", only: "troupe_"}, "curl -s 'http://127.0.0.1:5050/x' | grep '^troupe_'"},
		{request{to: to, method: "GET", path: "/x", file: "trace"}, "curl -D - -o trace 'http://127.0.0.1:5050/x'"},
	} {
		if got := test.ask.curl(s); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
}
