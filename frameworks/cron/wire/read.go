package wire

import (
	"slices"
	"strings"
	"time"

	"troupe/frameworks/cron/plan"
)

// Form is what a job is posted as.
type Form int

// The forms.
const (
	Scheduled Form = iota // to iso8601
	Dependent             // to dependency
)

// What a job has that names none.
const (
	DefaultCPUs    = 0.1
	DefaultMem     = 128 // MiB
	DefaultDisk    = 256 // MiB
	DefaultRetries = 2
)

// Read reads a job. The error is an *UnreadableError, or a *plan.Error with all
// that is wrong with the job by itself; whether its parents exist is not asked.
// Fields that are unknown, and those that only answers have, are ignored. With the
// latter error the job has what could be read.
func Read(data []byte, form Form, now time.Time) (plan.Job, error) {
	fields, err := parse(data)
	if err != nil {
		return plan.Job{}, err
	}
	r := &reading{}
	job := readJob(object{r, "", fields}, form, now)
	for _, p := range plan.Check(&job, now) {
		said := r.at(p.Path) || p.Path == "schedule" && job.Trigger.Schedule == "" && r.at("parents")
		if !said {
			r.wrong(p.Path, "%s", p.Text)
		}
	}
	if len(r.problems) > 0 {
		return job, &plan.Error{Kind: plan.BadInput, Problems: r.problems}
	}
	return job, nil
}

func readJob(o object, form Form, now time.Time) plan.Job {
	job := plan.Job{CPUs: DefaultCPUs, Mem: DefaultMem, Disk: DefaultDisk}
	o.text("name", &job.Name)
	job.Trigger = o.trigger(form, now)
	job.Policy = o.policy()
	job.Command = o.command()
	o.text("owner", &job.About.Owner)
	o.text("ownerName", &job.About.OwnerName)
	o.text("description", &job.About.Description)
	o.textMap("tags", &job.About.Tags)
	o.amount("cpus", &job.CPUs)
	o.amount("mem", &job.Mem)
	o.amount("disk", &job.Disk)
	o.duration("maxCompletionTime", &job.MaxCompletion)
	o.pairs("environmentVariables", "name", &job.Environment)
	job.Fetch = o.fetch()
	job.Constraints = o.constraints()
	job.Container = o.container()
	return job
}

// amount reads a resource; 0 is the default.
func (o object) amount(key string, to *float64) {
	n := 0.0
	if o.number(key, &n); n != 0 {
		*to = n
	}
}

func (o object) trigger(form Form, now time.Time) plan.Trigger {
	var t plan.Trigger
	o.text("schedule", &t.Schedule)
	o.text("scheduleTimeZone", &t.Zone)
	o.texts("parents", &t.Parents)
	slices.Sort(t.Parents)
	t.Parents = slices.Compact(t.Parents)
	broken := o.at("schedule") || o.at("parents")
	switch {
	case broken:
	case form == Scheduled && t.Schedule == "" && len(t.Parents) == 0:
		t.Schedule = "R1/" + now.UTC().Format("2006-01-02T15:04:05.000Z") + "/PT24H"
	case form == Scheduled && t.Schedule == "":
		o.wrong("parents", "a job with parents is posted to dependency")
	case form == Dependent && len(t.Parents) == 0 && t.Schedule != "":
		o.wrong("schedule", "a job with a schedule is posted to iso8601")
	case form == Dependent && len(t.Parents) == 0:
		o.wrong("parents", "at least one parent is expected")
	}
	return t
}

func (o object) policy() plan.Policy {
	p := plan.Policy{}
	retries := int64(DefaultRetries)
	o.whole("retries", &retries)
	p.Retries = int(retries)
	o.duration("retryDelay", &p.RetryDelay)
	o.duration("epsilon", &p.Epsilon)
	o.flag("disabled", &p.Disabled)
	o.flag("softError", &p.SoftError)
	o.flag("highPriority", &p.HighPriority)
	o.flag("async", &p.Async)
	o.flag("dataProcessingJobType", &p.DataProcessing)
	p.Overlap = o.overlap()
	return p
}

// overlap reads concurrent, and overlap, which says more.
func (o object) overlap() plan.Overlap {
	var concurrent bool
	var text string
	o.flag("concurrent", &concurrent)
	o.text("overlap", &text)
	switch overlap := plan.Overlap(text); {
	case text == "" && concurrent:
		return plan.Allow
	case text == "":
		return plan.Skip
	case concurrent && overlap != plan.Allow:
		o.wrong("overlap", "%.100q contradicts concurrent, which is true", text)
		return overlap
	default:
		return overlap
	}
}

func (o object) command() plan.Command {
	var c plan.Command
	shell := true
	o.text("command", &c.Text)
	o.flag("shell", &shell)
	c.Exec = !shell
	o.texts("arguments", &c.Arguments)
	o.text("runAsUser", &c.User)
	o.text("executor", &c.Executor)
	o.text("executorFlags", &c.ExecutorFlags)
	o.text("taskInfoData", &c.TaskInfoData)
	for _, text := range append([]string{c.Text, c.User, c.Executor, c.ExecutorFlags}, c.Arguments...) {
		if strings.ContainsRune(text, 0) {
			o.wrong("command", "a NUL is in it, or in arguments, user or executor")
			break
		}
	}
	return c
}

// fetch reads fetch, and uris, which is the older form of it.
func (o object) fetch() []plan.Fetch {
	var all []plan.Fetch
	older := o.list("uris", func(path string, v any) {
		uri, ok := v.(string)
		if !ok {
			o.wrong(path, "a text is expected, not %s", kindOf(v))
		} else if uri == "" {
			o.wrong(path, "is empty")
		}
		all = append(all, plan.Fetch{URI: uri, Extract: true, Older: true})
	})
	newer := o.objects("fetch", func(c object) {
		f := plan.Fetch{Extract: true}
		c.text("uri", &f.URI)
		c.flag("executable", &f.Executable)
		c.flag("cache", &f.Cache)
		c.flag("extract", &f.Extract)
		c.text("output_file", &f.OutputFile)
		if f.URI == "" && !c.at(c.in("uri")) {
			c.wrong(c.in("uri"), "is missing")
		}
		all = append(all, f)
	})
	if older && newer {
		o.wrong("uris", "a job has either uris or fetch, which says more")
	}
	return all
}

// constraints reads a list of lists of three texts.
func (o object) constraints() [][3]string {
	var all [][3]string
	o.list("constraints", func(path string, v any) {
		parts, ok := v.([]any)
		if !ok || len(parts) != 3 {
			o.wrong(path, "a list of three texts is expected: attribute, operator, value")
			return
		}
		var one [3]string
		for i, part := range parts {
			if one[i], ok = part.(string); !ok {
				o.wrong(path, "a list of three texts is expected: attribute, operator, value")
				return
			}
		}
		one[1] = strings.ToUpper(one[1])
		all = append(all, one)
	})
	return all
}

// ReadNumber reads an object that has one whole number. Errors are as Read's.
func ReadNumber(data []byte, field string) (int64, error) {
	fields, err := parse(data)
	if err != nil {
		return 0, err
	}
	r := &reading{}
	n := int64(0)
	if fields[field] == nil {
		r.wrong(field, "is missing")
	}
	object{r, "", fields}.whole(field, &n)
	if len(r.problems) > 0 {
		return 0, &plan.Error{Kind: plan.BadInput, Problems: r.problems}
	}
	return n, nil
}
