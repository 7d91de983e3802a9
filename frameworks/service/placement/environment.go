package placement

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"troupe/messages/mesos"
)

// longestLabel is the length up to which a label's value becomes a variable, in
// bytes.
const longestLabel = 512

// prepareEnvironment makes the variables that are the same everywhere: what tells
// of the app, and the user's own, which win over all others.
func (r *Recipe) prepareEnvironment() {
	a, p := r.app, &r.parts
	p.own = map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(a.Process.Env)) {
		p.own[name] = true
		v := a.Process.Env[name]
		if v.Secret != "" {
			p.variables = append(p.variables, &mesos.Environment_Variable{
				Name: &name, Type: mesos.Environment_Variable_SECRET.Enum(), Secret: r.secret(v.Secret),
			})
			continue
		}
		p.variables = append(p.variables, variable(name, v.Text))
	}
	add := func(name, value string) {
		if !p.own[name] {
			p.context = append(p.context, variable(name, value))
		}
	}
	add("MARATHON_APP_ID", string(a.ID))
	add("MARATHON_APP_VERSION", a.Version.String())
	if a.Container != nil && a.Container.Image != nil {
		add("MARATHON_APP_DOCKER_IMAGE", a.Container.Image.Name)
	}
	add("MARATHON_APP_RESOURCE_CPUS", decimal(a.Resources.CPUs))
	add("MARATHON_APP_RESOURCE_MEM", decimal(a.Resources.Mem))
	add("MARATHON_APP_RESOURCE_DISK", decimal(a.Resources.Disk))
	add("MARATHON_APP_RESOURCE_GPUS", strconv.Itoa(a.Resources.GPUs))
	r.labelVariables(add)
}

func (r *Recipe) labelVariables(add func(name, value string)) {
	byName := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(r.app.Labels)) {
		if value := r.app.Labels[key]; len(value) <= longestLabel && !strings.ContainsRune(value, 0) {
			byName[envName(key)] = value
		}
	}
	names := slices.Sorted(maps.Keys(byName))
	add("MARATHON_APP_LABELS", strings.Join(names, " "))
	for _, name := range names {
		add("MARATHON_APP_LABEL_"+name, byName[name])
	}
}

// environment of a task: of what has one name, the later counts, and the user's
// own before all.
func (r *Recipe) environment(task, host string, hostPorts []int) *mesos.Environment {
	p := &r.parts
	all := make([]*mesos.Environment_Variable, 0, len(p.context)+len(p.variables)+3+4*len(p.ports))
	all = append(all, p.context...)
	first := len(all)
	add := func(name, value string) {
		if p.own[name] {
			return
		}
		for _, v := range all[first:] {
			if v.GetName() == name {
				v.Value = &value
				return
			}
		}
		all = append(all, variable(name, value))
	}
	add("MESOS_TASK_ID", task)
	add("HOST", host)
	r.portVariables(listening(p.ports, hostPorts), add)
	return &mesos.Environment{Variables: append(all, p.variables...)}
}

// portVariables tell the ports, in the order of their definition: by place, by the
// number that was asked for, by name.
func (r *Recipe) portVariables(numbers []int, add func(name, value string)) {
	if len(numbers) == 0 {
		return
	}
	prefix := r.settings.EnvPrefix
	texts := make([]string, 0, len(numbers))
	for i, n := range numbers {
		text := strconv.Itoa(n)
		texts = append(texts, text)
		add(prefix+"PORT"+strconv.Itoa(i), text)
		if declared := r.parts.ports[i].declared; declared != 0 {
			add(prefix+"PORT_"+strconv.Itoa(declared), text)
		}
		if name := r.parts.ports[i].name; name != "" {
			add(prefix+"PORT_"+envName(name), text)
		}
	}
	add(prefix+"PORT", texts[0])
	add(prefix+"PORTS", strings.Join(texts, ","))
}

func variable(name, value string) *mesos.Environment_Variable {
	return &mesos.Environment_Variable{Name: &name, Value: &value}
}

// envName is a text as part of a variable's name: capitals, digits and
// underscores.
func envName(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		}
		return '_'
	}, text)
}

// decimal is a number with at least one decimal: "1.0".
func decimal(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
