package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"troupe/frameworks/service/app"
)

// App is an app in the canonical form. Its keys are those that strict clients
// know; check, tty, executorResources, resourceLimits, linuxInfo, networkNames and
// secrets of volumes, which they do not, are only there if somebody set them.
type App struct {
	ID app.Path `json:"id"`
	appProcess
	appResources
	appNetwork
	appChecks
	appPolicy
	Version     string       `json:"version,omitempty"`
	VersionInfo *VersionInfo `json:"versionInfo,omitempty"`
}

// VersionInfo says when an app was last changed.
type VersionInfo struct {
	LastScalingAt      string `json:"lastScalingAt"`
	LastConfigChangeAt string `json:"lastConfigChangeAt"`
}

type appProcess struct {
	Cmd      string            `json:"cmd,omitempty"`
	Args     []string          `json:"args,omitempty"`
	User     string            `json:"user,omitempty"`
	Env      map[string]any    `json:"env,omitempty"`
	Secrets  map[string]source `json:"secrets,omitempty"`
	Fetch    []artifact        `json:"fetch,omitempty"`
	Executor string            `json:"executor"`
	TTY      *bool             `json:"tty,omitempty"`
}

type source struct {
	Source string `json:"source"`
}

type secret struct {
	Secret string `json:"secret"`
}

type artifact struct {
	URI        string `json:"uri"`
	Extract    bool   `json:"extract"`
	Executable bool   `json:"executable"`
	Cache      bool   `json:"cache"`
	DestPath   string `json:"destPath,omitempty"`
}

type appResources struct {
	Instances int     `json:"instances"`
	CPUs      float64 `json:"cpus"`
	Mem       float64 `json:"mem"`
	Disk      float64 `json:"disk"`
	GPUs      int     `json:"gpus"`
	Executor  *shares `json:"executorResources,omitempty"`
	Limits    *limits `json:"resourceLimits,omitempty"`
}

type shares struct {
	CPUs float64 `json:"cpus"`
	Mem  float64 `json:"mem"`
	Disk float64 `json:"disk"`
}

type limits struct {
	CPUs any `json:"cpus,omitempty"`
	Mem  any `json:"mem,omitempty"`
}

type appPolicy struct {
	Labels        map[string]string `json:"labels"`
	Role          string            `json:"role,omitempty"`
	Constraints   [][]string        `json:"constraints,omitempty"`
	Accepted      []string          `json:"acceptedResourceRoles,omitempty"`
	Dependencies  []app.Path        `json:"dependencies,omitempty"`
	Upgrade       upgrade           `json:"upgradeStrategy"`
	Backoff       int64             `json:"backoffSeconds"`
	BackoffFactor float64           `json:"backoffFactor"`
	MaxDelay      int64             `json:"maxLaunchDelaySeconds"`
	KillGrace     *int64            `json:"taskKillGracePeriodSeconds,omitempty"`
	KillSelection string            `json:"killSelection"`
	Unreachable   any               `json:"unreachableStrategy"`
	Residency     *residency        `json:"residency,omitempty"`
}

type upgrade struct {
	MinimumHealth float64 `json:"minimumHealthCapacity"`
	MaximumOver   float64 `json:"maximumOverCapacity"`
}

type unreachable struct {
	Inactive int64 `json:"inactiveAfterSeconds"`
	Expunge  int64 `json:"expungeAfterSeconds"`
}

// residency means nothing any more, but is read by clients of resident apps.
type residency struct {
	Escalation int    `json:"relaunchEscalationTimeoutSeconds"`
	TaskLost   string `json:"taskLostBehavior"`
}

// FromApp is the canonical form of an app. It shares maps and lists with it.
func FromApp(a *app.App) *App {
	w := &App{ID: a.ID}
	if a.Version != 0 || a.History != (app.History{}) {
		w.Version = a.Version.String()
		w.VersionInfo = &VersionInfo{a.History.LastScaling.String(), a.History.LastConfig.String()}
	}
	w.appProcess = fromProcess(&a.Process)
	w.appResources = fromResources(a)
	w.appNetwork = fromNetwork(a)
	w.appChecks = fromChecks(&a.Checks)
	w.appPolicy = fromPolicy(a)
	return w
}

func fromProcess(run *app.Process) appProcess {
	w := appProcess{Cmd: run.Command, Args: run.Args, User: run.User, Executor: run.Executor, TTY: run.TTY}
	if len(run.Env) > 0 {
		w.Env = make(map[string]any, len(run.Env))
	}
	for name, v := range run.Env {
		if v.Secret != "" {
			w.Env[name] = secret{v.Secret}
		} else {
			w.Env[name] = v.Text
		}
	}
	if len(run.Secrets) > 0 {
		w.Secrets = make(map[string]source, len(run.Secrets))
	}
	for name, s := range run.Secrets {
		w.Secrets[name] = source{s}
	}
	for _, f := range run.Fetch {
		w.Fetch = append(w.Fetch, artifact{f.URI, f.Extract, f.Executable, f.Cache, f.Path})
	}
	return w
}

func fromResources(a *app.App) appResources {
	r := &a.Resources
	w := appResources{Instances: a.Instances, CPUs: r.CPUs, Mem: r.Mem, Disk: r.Disk, GPUs: r.GPUs}
	if e := r.Executor; e != nil {
		w.Executor = &shares{e.CPUs, e.Mem, e.Disk}
	}
	if l := r.Limits; l != nil {
		w.Limits = &limits{fromLimit(l.CPUs), fromLimit(l.Mem)}
	}
	return w
}

func fromLimit(l *float64) any {
	switch {
	case l == nil:
		return nil
	case math.IsInf(*l, 1):
		return "unlimited"
	}
	return *l
}

func fromPolicy(a *app.App) appPolicy {
	w := appPolicy{
		Labels: a.Labels, Role: a.Role, Constraints: fromConstraints(a.Placement.Constraints), Accepted: a.Placement.Roles,
		Dependencies: a.Dependencies, Upgrade: upgrade{a.Upgrade.MinimumHealth, a.Upgrade.MaximumOver},
		Backoff: inSeconds(a.Backoff.First), BackoffFactor: a.Backoff.Factor, MaxDelay: inSeconds(a.Backoff.Most),
		KillSelection: a.Kill.Selection,
	}
	if w.Labels == nil {
		w.Labels = map[string]string{}
	}
	if a.Kill.Grace != nil {
		grace := inSeconds(*a.Kill.Grace)
		w.KillGrace = &grace
	}
	if u := a.Unreachable; u.Disabled {
		w.Unreachable = "disabled"
	} else {
		w.Unreachable = unreachable{inSeconds(u.Inactive), inSeconds(u.Expunge)}
	}
	if a.Resident() {
		w.Residency = &residency{3600, "WAIT_FOREVER"}
	}
	return w
}

func fromConstraints(list []app.Constraint) [][]string {
	var w [][]string
	for _, c := range list {
		w = append(w, c.Texts())
	}
	return w
}

func inSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// ReadStored reads an app as FromApp wrote it, with its stamps. It checks kinds
// alone, so that what was accepted once is read for ever.
func ReadStored(data []byte) (*app.App, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	a := o.stored()
	if err := o.err(); err != nil {
		return nil, err
	}
	if err := o.invalid.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

func (o object) stored() *app.App {
	a := o.fresh(app.Root, Options{})
	stamp := func(o object, key string, to *app.Version) {
		if o.has(key) {
			if v := o.timestamp(key); v != nil {
				*to = *v
			}
		}
	}
	stamp(o, "version", &a.Version)
	if info, ok := o.child("versionInfo"); ok {
		stamp(info, "lastScalingAt", &a.History.LastScaling)
		stamp(info, "lastConfigChangeAt", &a.History.LastConfig)
	}
	return a
}

// Encode is the JSON of anything that this package writes, without escapes that
// only a page of HTML needs.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
