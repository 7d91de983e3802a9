package commands

import (
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"troupe/messages/masters"
	"troupe/tools/troupe/flags"
)

// values is every flag with the value it has, by canonical name, for /flags.
// What could be a secret is left out.
func values(set *pflag.FlagSet) map[string]string {
	all := map[string]string{}
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" && f.Name != "executor_environment_variables" {
			all[f.Name] = masters.Redact(f.Value.String())
		}
	})
	return all
}

func errRequired(name string) error { return fmt.Errorf("--%s is required", name) }

type namedInt struct {
	name  string
	value int
}

func atLeast(least int, numbers ...namedInt) error {
	for _, n := range numbers {
		if n.value < least {
			return flagError(n.name, strconv.Itoa(n.value), fmt.Sprintf("is below %d", least))
		}
	}
	return nil
}

type namedDuration struct {
	name  string
	value flags.Duration
}

func positive(durations ...namedDuration) error {
	for _, d := range durations {
		if d.value <= 0 {
			return flagError(d.name, d.value.String(), "is not above 0")
		}
	}
	return nil
}
