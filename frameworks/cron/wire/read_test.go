package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/cron/plan"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const full = `{"name":"nightly","command":"make report","shell":false,"arguments":["a","b c"],
 "schedule":"R5/2026-04-01T02:30:00.000Z/P1D","scheduleTimeZone":"Europe/Berlin","epsilon":"PT30M",
 "executor":"/bin/ex","executorFlags":"-v","taskInfoData":"x","retries":7,"retryDelay":"PT10S",
 "owner":"a@b.c,d@e.f","ownerName":"Ann","description":"all of it","tags":{"team":"red"},
 "async":true,"disabled":true,"softError":true,"dataProcessingJobType":true,"highPriority":true,"overlap":"kill-existing",
 "runAsUser":"nobody","cpus":1.5,"mem":64,"disk":32,"maxCompletionTime":3600.5,
 "fetch":[{"uri":"http://h/x","executable":true,"cache":true,"extract":false,"output_file":"y"},{"uri":"http://h/z"}],
 "environmentVariables":[{"name":"A","value":"1"},{"name":"B","value":""}],
 "container":{"type":"docker","image":"i:1","network":"user","networkName":"n","forcePullImage":true,
  "parameters":[{"key":"k","value":"v"}],
  "volumes":[{"hostPath":"/h","containerPath":"/c","mode":"ro"},{"containerPath":"/d","mode":"RW","external":{"name":"v","provider":"dvdi","options":[{"key":"o","value":"p"}]}}],
  "networkInfos":[{"name":"n","protocol":"IPv4","labels":[{"key":"l","value":"m"}],"portMappings":[{"hostPort":0,"containerPort":80,"protocol":"TCP"}]}]},
 "constraints":[["rack","equals","a"],["os","LIKE","linux.*"]],
 "successCount":9,"errorCount":8,"errorsSinceLastSuccess":7,"lastSuccess":"","lastError":"2026-01-01T00:00:00.000Z","unheardOf":{"a":[1]}}`

func fullJob() plan.Job {
	return plan.Job{
		Name: "nightly", Trigger: plan.Trigger{Schedule: "R5/2026-04-01T02:30:00.000Z/P1D", Zone: "Europe/Berlin"},
		Policy: plan.Policy{
			Overlap: plan.KillExisting, Epsilon: 30 * time.Minute, Retries: 7, RetryDelay: 10 * time.Second,
			SoftError: true, Disabled: true, HighPriority: true, Async: true, DataProcessing: true,
		},
		Command: plan.Command{
			Text: "make report", Arguments: []string{"a", "b c"}, Exec: true, User: "nobody",
			Executor: "/bin/ex", ExecutorFlags: "-v", TaskInfoData: "x",
		},
		About: plan.About{Owner: "a@b.c,d@e.f", OwnerName: "Ann", Description: "all of it", Tags: map[string]string{"team": "red"}},
		CPUs:  1.5, Mem: 64, Disk: 32,
		Environment: []plan.Pair{{Name: "A", Value: "1"}, {Name: "B"}},
		Fetch:       []plan.Fetch{{URI: "http://h/x", Executable: true, Cache: true, OutputFile: "y"}, {URI: "http://h/z", Extract: true}},
		Constraints: [][3]string{{"rack", "EQUALS", "a"}, {"os", "LIKE", "linux.*"}},
		Container: &plan.Container{
			Type: "DOCKER", Image: "i:1", Network: "USER", NetworkName: "n", ForcePull: true,
			Parameters: []plan.Pair{{Name: "k", Value: "v"}},
			Volumes: []plan.Volume{
				{HostPath: "/h", ContainerPath: "/c", Mode: "RO"},
				{ContainerPath: "/d", Mode: "RW", ExternalName: "v", ExternalDriver: "dvdi", ExternalOptions: []plan.Pair{{Name: "o", Value: "p"}}},
			},
			Joins: []plan.Join{{
				Name: "n", Protocol: "IPv4", Labels: []plan.Pair{{Name: "l", Value: "m"}},
				Ports: []plan.Mapped{{ContainerPort: 80, Protocol: "tcp"}},
			}},
		},
		MaxCompletion: 3600500 * time.Millisecond,
	}
}

func TestEveryField(t *testing.T) {
	got, err := Read([]byte(full), Scheduled, now)
	if err != nil {
		t.Fatal(err)
	}
	if want := fullJob(); !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v\nwant\n%+v", got, want)
	}
	// So that a field which plan.Job gets later is not forgotten here.
	if empty := empties("", reflect.ValueOf(fullJob())); len(empty) > 0 {
		t.Errorf("not in the example: %v", empty)
	}
}

// empties are the paths of a struct's fields that have no value, those apart that
// exclude others.
func empties(path string, v reflect.Value) []string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	var all []string
	for i := range v.NumField() {
		at := path + "." + v.Type().Field(i).Name
		if v.Field(i).IsZero() && at != ".Trigger.Parents" {
			all = append(all, at)
		}
		all = append(all, empties(at, v.Field(i))...)
	}
	return all
}

func TestDefaults(t *testing.T) {
	got, err := Read([]byte(`{"name":"a","schedule":"R//PT1H"}`), Scheduled, now)
	want := plan.Job{
		Name: "a", Trigger: plan.Trigger{Schedule: "R//PT1H"}, Policy: plan.Policy{Overlap: plan.Skip, Retries: 2},
		CPUs: 0.1, Mem: 128, Disk: 256,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFormsOfFields(t *testing.T) {
	for _, c := range []struct {
		what, fields string
		form         Form
		look         func(plan.Job) any
		want         any
	}{
		{"null is absent", `"retries":null,"cpus":null,"container":null,"uris":null`, Scheduled, func(j plan.Job) any { return j.Policy.Retries }, 2},
		{"zero amounts", `"cpus":0,"mem":0,"disk":0.0`, Scheduled, func(j plan.Job) any { return fmt.Sprint(j.CPUs, j.Mem, j.Disk) }, "0.1 128 256"},
		{"no schedule", ``, Scheduled, func(j plan.Job) any { return j.Trigger.Schedule }, "R1/2026-03-01T12:00:00.000Z/PT24H"},
		{"an empty schedule", `"schedule":"","parents":[]`, Scheduled, func(j plan.Job) any { return j.Trigger.Schedule }, "R1/2026-03-01T12:00:00.000Z/PT24H"},
		{"unscheduled", `"schedule":"R0//PT0M"`, Scheduled, func(j plan.Job) any { return j.Trigger.Schedule }, "R0//PT0M"},
		{"cron", `"schedule":"30 2 * * mon-fri"`, Scheduled, func(j plan.Job) any { return j.Trigger.Schedule }, "30 2 * * mon-fri"},
		{"a set of parents", `"parents":["b","a","b"]`, Dependent, func(j plan.Job) any { return fmt.Sprint(j.Trigger.Parents) }, "[a b]"},
		{"a dependent job with an empty schedule", `"parents":["b"],"schedule":""`, Dependent, func(j plan.Job) any { return j.Trigger.Schedule }, ""},
		{"uris", `"uris":["http://h/x.tgz"]`, Scheduled, func(j plan.Job) any { return j.Fetch[0] }, plan.Fetch{URI: "http://h/x.tgz", Extract: true, Older: true}},
		{"uris beside an empty fetch", `"uris":["http://h/x.tgz"],"fetch":[]`, Scheduled, func(j plan.Job) any { return len(j.Fetch) }, 1},
		{"concurrent", `"concurrent":true`, Scheduled, func(j plan.Job) any { return j.Policy.Overlap }, plan.Allow},
		{"overlap and concurrent", `"concurrent":true,"overlap":"allow"`, Scheduled, func(j plan.Job) any { return j.Policy.Overlap }, plan.Allow},
		{"epsilon of 2.x", `"epsilon":"PT60S"`, Scheduled, func(j plan.Job) any { return j.Policy.Epsilon }, time.Minute},
		{"no epsilon", `"epsilon":""`, Scheduled, func(j plan.Job) any { return j.Policy.Epsilon }, time.Duration(0)},
		{"a limit in ISO", `"maxCompletionTime":"PT1H"`, Scheduled, func(j plan.Job) any { return j.MaxCompletion }, time.Hour},
		{"a delay in seconds", `"retryDelay":90`, Scheduled, func(j plan.Job) any { return j.Policy.RetryDelay }, 90 * time.Second},
		{"retries with a fraction of zeros", `"retries":3.0`, Scheduled, func(j plan.Job) any { return j.Policy.Retries }, 3},
		{"counts of a client", `"successCount":"many"`, Scheduled, func(j plan.Job) any { return j.Name }, "a"},
		{"a Mesos container", `"container":{"type":"mesos"}`, Scheduled, func(j plan.Job) any { return j.Container.Type }, "MESOS"},
	} {
		job, err := Read([]byte(`{"name":"a",`+strings.TrimSuffix(c.fields+`,`, `,,`)+`"command":"true"}`), c.form, now)
		if c.fields == "" {
			job, err = Read([]byte(`{"name":"a"}`), c.form, now)
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if got := c.look(job); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := Read([]byte(`{"name":"a/b","command":1,"shell":"yes","arguments":["a",2],"schedule":"R/x/P1D","scheduleTimeZone":"Mars",
		"epsilon":"P1M","retries":1.5,"retryDelay":-1,"maxCompletionTime":1e300,"cpus":"1","mem":-1,"disk":1e999,"disabled":0,
		"tags":{"a":1},"uris":[5,""],"fetch":[{"cache":1},7],"environmentVariables":[{"value":"v"},"A=1"],"overlap":"maybe",
		"constraints":[["a","b"],["a","NEAR","c"],"x",["a",1,"c"]],"owner":[],
		"container":{"type":"JAIL","network":"MOON","volumes":[{"mode":"RX"}],"parameters":[{"key":1}],
		 "networkInfos":[{"protocol":"IPX","portMappings":[{"hostPort":70000,"protocol":"sctp"}]}]}}`), Scheduled, now)
	var problems *plan.Error
	if !errors.As(err, &problems) || problems.Kind != plan.BadInput {
		t.Fatal(err)
	}
	paths := map[string]int{}
	for _, p := range problems.Problems {
		paths[p.Path]++
		if p.Text == "" {
			t.Errorf("%s: nothing is said", p.Path)
		}
	}
	for _, want := range strings.Fields(`name command shell arguments[1] schedule scheduleTimeZone epsilon retries retryDelay maxCompletionTime
		cpus mem disk disabled tags.a uris[0] uris[1] uris fetch[0].cache fetch[0].uri fetch[1] environmentVariables[0].name environmentVariables[1]
		overlap constraints[0] constraints[2] constraints[3] owner container.type container.network container.volumes[0].mode
		container.volumes[0].containerPath container.parameters[0].key container.networkInfos[0].protocol
		container.networkInfos[0].portMappings[0].hostPort container.networkInfos[0].portMappings[0].protocol`) {
		if paths[want] != 1 {
			t.Errorf("%s: %d problems", want, paths[want])
		}
	}
}

func TestClearAnswers(t *testing.T) {
	for _, c := range []struct {
		form       Form
		body       string
		path, text string
	}{
		{Scheduled, `{"name":"a","parents":["b"]}`, "parents", "posted to dependency"},
		{Scheduled, `{"name":"a","parents":["b"],"schedule":"@daily"}`, "schedule", "either"},
		{Dependent, `{"name":"a","schedule":"@daily"}`, "schedule", "posted to iso8601"},
		{Dependent, `{"name":"a"}`, "parents", "at least one"},
		{Dependent, `{"name":"a","parents":"b"}`, "parents", "a list is expected"},
		{Scheduled, `{"name":"a","uris":["x"],"fetch":[{"uri":"y"}]}`, "uris", "either"},
		{Scheduled, `{"name":"a","concurrent":true,"overlap":"skip"}`, "overlap", "contradicts"},
		{Scheduled, `{"name":"a","schedule":"0 0 31 2 *"}`, "schedule", "never"},
		{Scheduled, `{"name":"a","schedule":"R/1969-12-31T00:00:00Z/P1D"}`, "schedule", "before 1970"},
		{Scheduled, `{"name":"a","constraints":[["h","EQUALS","x"],["h","EQUALS","y"]]}`, "constraints[1]", "impossible"},
		{Scheduled, `{}`, "name", "name"},
	} {
		_, err := Read([]byte(c.body), c.form, now)
		var e *plan.Error
		if !errors.As(err, &e) || len(e.Problems) != 1 || e.Problems[0].Path != c.path || !strings.Contains(e.Problems[0].Text, c.text) {
			t.Errorf("%s: %v", c.body, err)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for body, why := range map[string]string{
		"": "empty", "  \n": "empty", "{": "EOF", "[]": "a list", "null": "null", `"a"`: "a text", "1": "a number", "true": "true or false",
		`{} {}`: "more follows", `{"a":1}x`: "more follows", `{"name":}`: "invalid", strings.Repeat(`{"a":`, 20000): "depth",
	} {
		_, err := Read([]byte(body), Scheduled, now)
		var e *UnreadableError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), why) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func TestManyProblemsAreBounded(t *testing.T) {
	_, err := Read([]byte(`{"name":"a","arguments":[`+strings.Repeat("1,", 5000)+`1]}`), Scheduled, now)
	var e *plan.Error
	if !errors.As(err, &e) || len(e.Problems) != maxProblems {
		t.Errorf("%.200v", err)
	}
}

// A client that gives back what it was shown changes nothing.
func TestWhatIsShownIsReadAgain(t *testing.T) {
	for _, body := range []string{full, `{"name":"a"}`, `{"name":"a","concurrent":true,"uris":["<&>"],"container":{"image":"i"}}`} {
		comesBack(t, []byte(body), Scheduled)
	}
	comesBack(t, []byte(`{"name":"a","parents":["z","b"]}`), Dependent)
}

func comesBack(t *testing.T, body []byte, form Form) {
	t.Helper()
	job, err := Read(body, form, now)
	if err != nil {
		return
	}
	line, err := Line(NewJob(&plan.View{Job: &job, Schedule: job.Trigger.Schedule}))
	if err != nil || strings.ContainsAny(string(line), "\n\r") || !json.Valid(line) {
		t.Fatalf("%s, %v", line, err)
	}
	again, err := Read(line, form, now)
	if err != nil || !reflect.DeepEqual(again, job) {
		t.Fatalf("shown as %s it is\n%+v, %v\nand was\n%+v", line, again, err, job)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(full), false)
	f.Add([]byte(`{"name":"a","parents":["b"]}`), true)
	f.Add([]byte(`{"name":"a","schedule":"*/5 * * * *","uris":["x"],"maxCompletionTime":0.1,"retryDelay":"P1DT1S"}`), false)
	f.Add([]byte(`[1]`), false)
	f.Fuzz(func(t *testing.T, body []byte, dependent bool) {
		form := Scheduled
		if dependent {
			form = Dependent
		}
		_, err := Read(body, form, now)
		var unreadable *UnreadableError
		var problems *plan.Error
		if err != nil && !errors.As(err, &unreadable) && (!errors.As(err, &problems) || len(problems.Problems) == 0) {
			t.Fatalf("%v", err)
		}
		comesBack(t, body, form)
	})
}
