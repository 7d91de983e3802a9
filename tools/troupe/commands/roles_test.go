package commands

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// settled is a master with settings.
func settled(t *testing.T) *fakeMaster {
	m := newFakeMaster(t)
	for path, body := range map[string]string{
		"/allocator/explain": `{"framework_id":{"value":"F"},"known":true,"agents":7,"looked_at":6,"hold":"nothing yet","roles":[
			{"role":"eng","share":0.5,"role_share":0.25,"before":1,"agents":[
				{"reason":"OTHERS","agents":6,"text":"6 agents: others","examples":[{"value":"S1"},{"value":"S2"}]}]},
			{"role":"ops","share":0,"role_share":0,"before":0,"idle":"suppressed"},{"role":"x","share":0,"role_share":0,"before":0}]}`,
		"/roles": `{"roles":[
			{"name":"eng","weight":2,"quota":{"guarantee":{"cpus":1,"mem":64},"limit":{"cpus":4},"consumed":{"cpus":1.5}},
			 "allocated":{"cpus":1.5,"mem":32},"offered":{"cpus":1},"reserved":{"disk":10},"frameworks":["F"]},
			{"name":"ops","weight":1,"quota":{"guarantee":{},"limit":{},"consumed":{}},"allocated":{},"offered":{},"reserved":{},"frameworks":[]}]}`,
		"/weights": `[{"role":"eng","weight":2}]`,
		"/maintenance/status": `{"draining_machines":[{"id":{"hostname":"a"},"statuses":[
			{"status":"ACCEPT","framework_id":{"value":"F"},"timestamp":{"nanoseconds":1}},{"status":"DECLINE","framework_id":{"value":"G"},"timestamp":{"nanoseconds":1}},
			{"status":"DECLINE","framework_id":{"value":"H"},"timestamp":{"nanoseconds":1}}]},{"id":{"ip":"10.0.0.1"}}],
			"down_machines":[{"hostname":"b","ip":"10.0.0.2"}]}`,
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	m.HandleFunc("/maintenance/schedule", m.schedule())
	return m
}

const plans = `{"windows":[{"machine_ids":[{"hostname":"a"},{"ip":"10.0.0.1"}],
			"unavailability":{"start":{"nanoseconds":7000000000},"duration":{"nanoseconds":60000000000}}},
			{"machine_ids":[{"hostname":"b","ip":"10.0.0.2"}],"unavailability":{"start":{"nanoseconds":9000000000}}}]}`

// schedule is a schedule that somebody else changes after it was read first.
func (m *fakeMaster) schedule() http.HandlerFunc {
	version := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(version)))
			_, _ = io.WriteString(w, plans)
			return
		}
		version++
		if r.Header.Get("If-Match") != `"1"` {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		body, _ := io.ReadAll(r.Body)
		m.change(func() { m.calls = append(m.calls, string(body)) })
		version = 0
	}
}

func TestReadingSettings(t *testing.T) {
	m := settled(t)
	for line, want := range map[string]string{
		"roles":             `(?s)^ROLE.*\neng +2 +1 +1.5 +32 +cpus:1 +disk:10\nops +1 +0 +0 +0 +- +-\n$`,
		"roles --json":      `(?s)^\[.*"name": "eng".*"consumed"`,
		"quota list":        `(?s)^ROLE.*\neng +cpus:1;mem:64 +cpus:4 +cpus:1.5\n$`,
		"quota list --json": `(?s)^\[.*"guarantee"`,
		"offers explain F": `(?s)^nothing yet\n\nOf 7 agents, 6 were looked at.\n\nRole eng: share 0.500, of the role 0.250 by its weight; 1 others come first\n` +
			`  6 agents: others\n    S1 S2 …\n\nRole ops: .*\n  suppressed\n\nRole x: .*\n  there are no agents\n$`,
		"offers explain F --json": `"reason":"OTHERS"`,
		"weights":                 `(?s)^ROLE +WEIGHT\neng +2\n$`,
		"weights --json":          `"weight": 2`,
		"maintenance":             `(?s)^MACHINE.*\na +draining +1970-01-01T00:00:07Z +1mins +1 +2\n10.0.0.1 +draining .* +0 +0\nb@10.0.0.2 +down +1970-01-01T00:00:09Z +- +0 +0\n$`,
		"maintenance --json":      `(?s)^\[.*"machine": "b@10.0.0.2".*"state": "down"`,
	} {
		code, out, stderr := typed(t, append(strings.Fields(line), "--master="+m.at)...)
		if code != 0 || stderr != "" || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("troupe %s: %d, want %q\n%s%s", line, code, want, out, stderr)
		}
	}
}

func TestChangingSettings(t *testing.T) {
	m := settled(t)
	for line, want := range map[string]string{
		"quota set web --guarantee=cpus:1.5 --limit=cpus:2;mem:64": `{"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[{"role":"web","guarantees":{"cpus":{"value":1.5}},"limits":{"cpus":{"value":2.0},"mem":{"value":64.0}}}]}}`,
		"quota set web --limit=cpus:2 --force":                     `{"type":"UPDATE_QUOTA","update_quota":{"force":true,"quota_configs":[{"role":"web","limits":{"cpus":{"value":2.0}}}]}}`,
		"quota remove web ops":                                     `{"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[{"role":"web"},{"role":"ops"}]}}`,
		"weights set web=2 ops=0.5":                                `{"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"weight":2.0,"role":"web"},{"weight":0.5,"role":"ops"}]}}`,
		"maintenance down a 10.0.0.1 b@10.0.0.2":                   `{"type":"START_MAINTENANCE","start_maintenance":{"machines":[{"hostname":"a"},{"ip":"10.0.0.1"},{"hostname":"b","ip":"10.0.0.2"}]}}`,
		"maintenance up fe80::1":                                   `{"type":"STOP_MAINTENANCE","stop_maintenance":{"machines":[{"ip":"fe80::1"}]}}`,
		"maintenance cancel A 10.0.0.1":                            `{"windows":[{"machine_ids":[{"hostname":"b","ip":"10.0.0.2"}],"unavailability":{"start":{"nanoseconds":9000000000}}}]}`,
		"maintenance plan c 10.0.0.1 --in=1hrs --lasts=2mins": `{"windows":[
			{"machine_ids":[{"hostname":"a"}],"unavailability":{"start":{"nanoseconds":7000000000},"duration":{"nanoseconds":60000000000}}},
			{"machine_ids":[{"hostname":"b","ip":"10.0.0.2"}],"unavailability":{"start":{"nanoseconds":9000000000}}},
			{"machine_ids":[{"hostname":"c"},{"ip":"10.0.0.1"}],"unavailability":{"start":{"nanoseconds":SOON},"duration":{"nanoseconds":120000000000}}}]}`,
	} {
		m.change(func() { m.calls = nil })
		code, out, stderr := typed(t, append(strings.Fields(line), "--master="+m.at)...)
		var got []string
		m.change(func() { got = slices.Clone(m.calls) })
		if code != 0 || out+stderr != "" || len(got) != 1 {
			t.Fatalf("%s: %d %s%s\n%v", line, code, out, stderr, got)
		}
		call := regexp.MustCompile(`\d{19}`).ReplaceAllString(got[0], "SOON")
		if sorted(call) != sorted(regexp.MustCompile(`\s`).ReplaceAllString(want, "")) {
			t.Errorf("%s: called\n%s, want\n%s", line, call, want)
		}
	}
}

func TestProblemsOfSettings(t *testing.T) {
	m := settled(t)
	for line, want := range map[string]string{
		"quota what":                          `2 there is no command "troupe quota what"`,
		"quota set":                           `2 ROLE is missing`,
		"quota set web":                       `2 --guarantee or --limit is missing`,
		"quota set web --limit=cpus:many":     `2 --limit="cpus:many" is not a list of amounts: .*`,
		"quota set web --limit=ports:[1-2]":   `2 --limit="ports:\[1-2\]" holds ports, which is not a plain amount`,
		"quota set web --guarantee=cpus(a):1": `2 --guarantee="cpus\(a\):1" holds cpus, which is not a plain amount`,
		"offers explain":                      `2 FRAMEWORK is missing`,
		"offers what":                         `2 there is no command "troupe offers what"`,
		"quota remove":                        `2 ROLE is missing`,
		"weights set":                         `2 ROLE=WEIGHT is missing`,
		"weights set web":                     `2 "web": is not ROLE=WEIGHT`,
		"weights set web=much":                `2 "web=much": is not ROLE=WEIGHT`,
		"weights what":                        `2 there is no command "troupe weights what"`,
		"maintenance down":                    `2 MACHINE is missing`,
		"maintenance cancel c":                `1 machine "c" is not in the schedule`,
		"maintenance plan c --in=soon":        `2 .*in`,
		"roles --master=127.0.0.1:1":          `1 127.0.0.1:1 does not answer`,
		"master --work_dir=D --weights=a=0":   `2 --weights="a=0" is not a list of weights: \[0\].weight: 0: must be a number above 0`,
		"master --work_dir=D --weights=a":     `2 --weights="a" is not a list of weights: "a": is not ROLE=WEIGHT`,
	} {
		args := strings.Fields(line)
		if !strings.Contains(line, "--master=") && args[0] != "master" && line != "quota what" {
			args = append(args, "--master="+m.at)
		}
		code, out, stderr := typed(t, args...)
		if got := fmt.Sprintf("%d %s%s", code, out, strings.TrimPrefix(stderr, "troupe: ")); !regexp.MustCompile(`(?s)^(` + want + `)`).MatchString(got) {
			t.Errorf("troupe %s: want %q, got\n%s", line, want, got)
		}
	}
}
