package work

import (
	"maps"
	"slices"
	"strconv"

	"troupe/messages/mesos"
)

// environment is Env in order, and the ports' numbers.
func (t *Task) environment(numbers []uint64) *mesos.Environment {
	e := &mesos.Environment{}
	add := func(name, value string) {
		e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: &name, Value: &value})
	}
	for i, p := range numbers {
		number := strconv.FormatUint(p, 10)
		if i == 0 {
			add("PORT", number)
		}
		add("PORT"+strconv.Itoa(i), number)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		add(name, t.Env[name])
	}
	return e
}
