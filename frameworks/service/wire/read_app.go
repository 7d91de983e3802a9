package wire

import (
	"math"
	"strings"
	"time"

	"troupe/frameworks/service/app"
)

// Options are what the operator decided about apps.
type Options struct {
	Rules   app.Rules
	Network string // of apps on a container network that they do not name; "" is none
}

// fresh is an app of which nothing was said.
func fresh(id app.Path) *app.App {
	return &app.App{
		ID:        id,
		Resources: app.Resources{CPUs: 1, Mem: 128},
		Instances: 1,
		Labels:    map[string]string{},
		Networks:  []app.Network{{Mode: app.ModeHost}},
		Upgrade:   app.Upgrade{MinimumHealth: 1, MaximumOver: 1},
		Backoff:   app.Backoff{First: time.Second, Factor: 1.15, Most: 300 * time.Second},
		Kill:      app.Kill{Selection: app.YoungestFirst},
	}
}

// into sets in a, which nobody else has, what the object says; nested objects and
// lists are replaced whole. created tells that a is fresh, so that what is not said
// gets its default.
func (o object) into(a *app.App, opt Options, created bool) {
	o.process(a)
	o.resources(a)
	o.text("role", &a.Role)
	o.integer("instances", &a.Instances)
	o.textMap("labels", &a.Labels)
	o.placement(a)
	o.checks(a)
	o.paths("dependencies", a.ID.Parent(), &a.Dependencies)
	o.times(a)
	o.network(a, opt, created)
	o.strategies(a, created)
}

func (o object) process(a *app.App) {
	run := &a.Process
	if o.has("cmd") && !o.has("args") {
		run.Args = nil // the one excludes the other
	}
	if o.has("args") && !o.has("cmd") {
		run.Command = ""
	}
	o.text("cmd", &run.Command)
	o.texts("args", &run.Args)
	o.text("user", &run.User)
	o.text("executor", &run.Executor)
	if o.has("tty") {
		tty := false
		o.flag("tty", &tty)
		run.TTY = &tty
	}
	if env, ok := o.child("env"); ok {
		run.Env = make(map[string]app.Value, len(env.fields))
		for _, name := range env.keys() {
			if v, ok := env.environment(name); ok {
				run.Env[name] = v
			}
		}
	}
	if secrets, ok := o.child("secrets"); ok {
		run.Secrets = make(map[string]string, len(secrets.fields))
		for _, name := range secrets.keys() {
			if s, ok := secrets.child(name); ok {
				source := ""
				s.text("source", &source)
				run.Secrets[name] = source
			}
		}
	}
	o.fetch(run)
}

// environment reads a variable's value: a text, or a reference to a secret.
func (o object) environment(name string) (v app.Value, ok bool) {
	switch from := o.fields[name].(type) {
	case nil:
		return v, false
	case string:
		return app.Value{Text: from}, true
	case map[string]any:
		c, _ := o.child(name)
		c.text("secret", &v.Secret)
		if v.Secret == "" {
			o.mistake(o.at(name), "error.expected.secret")
		}
		return v, true
	}
	o.mistake(o.at(name), "error.expected.jsstring")
	return v, false
}

// fetch reads fetch, and uris, which were before it (A.4, rule 7).
func (o object) fetch(run *app.Process) {
	var uris []string
	o.texts("uris", &uris)
	var list []app.Artifact
	given := o.objects("fetch", func(c object) {
		f := app.Artifact{Extract: true}
		c.text("uri", &f.URI)
		c.flag("extract", &f.Extract)
		c.flag("executable", &f.Executable)
		c.flag("cache", &f.Cache)
		c.text("destPath", &f.Path)
		list = append(list, f)
	})
	switch {
	case len(uris) > 0 && len(list) > 0:
		o.refuse(o.at("uris"), "You cannot specify both uris and fetch fields")
	case len(uris) > 0:
		run.Fetch = nil
		for _, uri := range uris {
			run.Fetch = append(run.Fetch, app.Artifact{URI: uri, Extract: packed(uri)})
		}
	case given || uris != nil:
		run.Fetch = list
	}
}

// packed guesses from its name whether a file is an archive.
func packed(uri string) bool {
	for _, suffix := range []string{".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"} {
		if strings.HasSuffix(uri, suffix) {
			return true
		}
	}
	return false
}

func (o object) resources(a *app.App) {
	r := &a.Resources
	o.number("cpus", &r.CPUs)
	o.number("mem", &r.Mem)
	o.number("disk", &r.Disk)
	o.integer("gpus", &r.GPUs)
	if c, ok := o.child("executorResources"); ok {
		r.Executor = &app.ExecutorShares{CPUs: 0.1, Mem: 32, Disk: 10}
		c.number("cpus", &r.Executor.CPUs)
		c.number("mem", &r.Executor.Mem)
		c.number("disk", &r.Executor.Disk)
	}
	if c, ok := o.child("resourceLimits"); ok {
		r.Limits = &app.Limits{CPUs: c.limit("cpus"), Mem: c.limit("mem")}
	}
}

// limit reads a number, or "unlimited".
func (o object) limit(key string) *float64 {
	if !o.has(key) {
		return nil
	}
	most := math.Inf(1)
	if o.fields[key] != "unlimited" {
		o.number(key, &most)
	}
	return &most
}

func (o object) placement(a *app.App) {
	o.constraints("constraints", &a.Placement.Constraints)
	o.texts("acceptedResourceRoles", &a.Placement.Roles)
}

// constraints reads lists of field, operator and perhaps a value.
func (o object) constraints(key string, to *[]app.Constraint) {
	var list []app.Constraint
	found := o.list(key, func(path string, v any) {
		parts, ok := v.([]any)
		if !ok {
			o.mistake(path, "error.expected.jsarray")
			return
		}
		var texts []string
		for _, part := range parts {
			s, ok := part.(string)
			if !ok && part != nil {
				o.mistake(path, "error.expected.jsstring")
			}
			texts = append(texts, s)
		}
		if len(texts) < 2 || len(texts) > 3 {
			o.refuse(path, "a constraint has a field, an operator and perhaps a value")
			return
		}
		c := app.Constraint{Field: texts[0], Operator: strings.ToUpper(texts[1])}
		if len(texts) == 3 && texts[2] != "" {
			c.Value = &texts[2]
		}
		list = append(list, c)
	})
	if found {
		*to = list
	}
}

// paths reads a list of paths; one that is relative is so to base.
func (o object) paths(key string, base app.Path, to *[]app.Path) {
	var list []app.Path
	found := o.list(key, func(path string, v any) {
		s, ok := v.(string)
		if !ok {
			o.mistake(path, "error.expected.jsstring")
			return
		}
		p, err := app.ParsePath(s, base)
		if err != nil {
			o.refuse(path, err.Error())
			return
		}
		list = append(list, p)
	})
	if found {
		*to = list
	}
}

func (o object) times(a *app.App) {
	o.seconds("backoffSeconds", &a.Backoff.First)
	o.number("backoffFactor", &a.Backoff.Factor)
	o.seconds("maxLaunchDelaySeconds", &a.Backoff.Most)
	o.text("killSelection", &a.Kill.Selection)
	if o.has("taskKillGracePeriodSeconds") {
		grace := time.Duration(0)
		o.seconds("taskKillGracePeriodSeconds", &grace)
		a.Kill.Grace = &grace
	}
}

// strategies come last: their defaults depend on what the app is.
func (o object) strategies(a *app.App, created bool) {
	switch {
	case !created:
	case a.Single():
		a.Upgrade = app.Upgrade{}
	case a.Resident():
		a.Upgrade = app.Upgrade{MinimumHealth: 0.5}
	}
	if c, ok := o.child("upgradeStrategy"); ok {
		if !a.Single() && !a.Resident() {
			a.Upgrade = app.Upgrade{MinimumHealth: 1, MaximumOver: 1}
		}
		c.number("minimumHealthCapacity", &a.Upgrade.MinimumHealth)
		c.number("maximumOverCapacity", &a.Upgrade.MaximumOver)
	}
	if created {
		a.Unreachable = app.Unreachable{Disabled: a.Resident()}
	}
	const key = "unreachableStrategy"
	if o.fields[key] == "disabled" {
		a.Unreachable = app.Unreachable{Disabled: true}
	} else if c, ok := o.child(key); ok {
		a.Unreachable = app.Unreachable{}
		c.seconds("inactiveAfterSeconds", &a.Unreachable.Inactive)
		c.seconds("expungeAfterSeconds", &a.Unreachable.Expunge)
	}
}
