package flags

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Prefix begins the name of every environment variable that sets a flag.
const Prefix = "TROUPE_"

// configFlag names the file that holds settings.
const configFlag = "config"

// Prepare gives every command below root the rules of this package. Call it
// once all commands and flags exist.
func Prepare(root *cobra.Command) {
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		name = strings.ReplaceAll(name, "-", "_")
		return pflag.NormalizedName(cmp.Or(older[name], name))
	})
}

// older are the names that Mesos had for some flags, and still takes.
var older = map[string]string{
	"slave_ping_timeout":           "agent_ping_timeout",
	"max_slave_ping_timeouts":      "max_agent_ping_timeouts",
	"slave_reregister_timeout":     "agent_reregister_timeout",
	"slave_removal_rate_limit":     "agent_removal_rate_limit",
	"recovery_slave_removal_limit": "recovery_agent_removal_limit",
	"user_sorter":                  "role_sorter",
	"authenticate_http":            "authenticate_http_readwrite",
	"no_authenticate_http":         "no_authenticate_http_readwrite",
}

// AddConfig adds --config to a command's flags.
func AddConfig(set *pflag.FlagSet) {
	set.String(configFlag, "", "file with a line name = value for each setting")
}

// Bool adds a boolean that is set by --name, --no-name and --name=false.
func Bool(set *pflag.FlagSet, target *bool, name string, value bool, usage string) {
	set.BoolVar(target, name, value, usage)
	set.Var(&negation{target: target, set: set, name: name}, "no_"+name, "")
	negated := set.Lookup("no_" + name)
	negated.NoOptDefVal, negated.Hidden = "true", true
}

// negation is the value of --no-name.
type negation struct {
	target *bool
	set    *pflag.FlagSet
	name   string
}

func (n *negation) Set(s string) error {
	if s != "true" {
		return fmt.Errorf("--no-%s takes no value, not %q", n.name, s)
	}
	return n.set.Set(n.name, "false")
}

func (n *negation) String() string { return "" }

func (n *negation) Type() string { return "bool" }

// Resolve gives the flags that the command line did not set the values of the
// environment and the configuration file, and replaces file:// values. The
// errors name the flag, the value and where it stood.
func Resolve(set *pflag.FlagSet, getenv func(string) (string, bool)) error {
	if err := fromEnvironment(set, getenv); err != nil {
		return err
	}
	if file := set.Lookup(configFlag); file != nil && file.Value.String() != "" {
		if err := fromFile(set, file.Value.String()); err != nil {
			return err
		}
	}
	return readFiles(set)
}

func fromEnvironment(set *pflag.FlagSet, getenv func(string) (string, bool)) error {
	var failure error
	set.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Hidden || failure != nil {
			return
		}
		variable := Prefix + strings.ToUpper(f.Name)
		if value, ok := getenv(variable); ok {
			if err := set.Set(f.Name, value); err != nil {
				failure = fmt.Errorf("environment variable %s=%q: %w", variable, value, err)
			}
		}
	})
	return failure
}

func fromFile(set *pflag.FlagSet, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--%s: %w", configFlag, err)
	}
	defer file.Close() // read only: nothing is lost when closing fails
	given := map[string]bool{}
	set.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		f := set.Lookup(name)
		switch {
		case !ok:
			return fmt.Errorf("%s:%d: %q is not of the form name = value", path, number, line)
		case f == nil:
			return fmt.Errorf("%s:%d: there is no setting %q", path, number, name)
		case given[f.Name]:
			continue
		}
		if err := set.Set(f.Name, value); err != nil {
			return fmt.Errorf("%s:%d: %s = %q: %w", path, number, name, value, err)
		}
	}
	return lines.Err()
}

// readFiles replaces the values that name a file by what the file holds.
func readFiles(set *pflag.FlagSet) error {
	var failure error
	set.Visit(func(f *pflag.Flag) {
		path, ok := strings.CutPrefix(f.Value.String(), "file://")
		if !ok || f.Value.Type() != "string" || failure != nil {
			return
		}
		content, err := os.ReadFile(path)
		if err != nil {
			failure = fmt.Errorf("--%s=%q: %w", f.Name, f.Value, err)
			return
		}
		failure = f.Value.Set(strings.TrimRight(string(content), "\n"))
	})
	return failure
}
