package isolation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// row is an isolator that can be asked for.
type row struct {
	name string
	make func(Settings) (isolator.Isolator, error)
}

// volumesAsMounts is the isolator with which volumes of sandboxes are mounts.
const volumesAsMounts = "volume/sandbox_path"

// table has the isolators that there are, in the order in which they prepare:
// what a container sees of the file system, its volumes, what holds it to its
// amounts, and last what takes privileges away.
var table = []row{
	{"filesystem/posix", unmovedBy("filesystem/posix")},
	{"posix/cpu", unmovedBy("posix/cpu")},
	{"posix/mem", unmovedBy("posix/mem")},
}

// aliases are names that stand for others.
var aliases = map[string][]string{
	"process":    {"posix/cpu", "posix/mem"},
	"cgroups":    {"cgroups/cpu", "cgroups/mem"},
	"posix/disk": {"disk/du"},
}

// absent are isolators of Mesos that are not here, and what to do without them.
// network/cni is no refusal: Mesos adds it to every list, and nothing configures it
// here.
var absent = []struct{ prefix, why string }{
	{"network/cni", ""},
	{"network/", "containers share the network of the machine: leave it out"},
	{"docker/volume", "volumes of drivers are not mounted here: leave it out, or use volume/host_path"},
	{"docker/", "there are no images here: leave it out"},
	{"appc/", "there are no images here: leave it out"},
	{"volume/image", "there are no images here: leave it out"},
	{"volume/csi", "volumes of drivers are not mounted here: leave it out, or use volume/host_path"},
	{"windows/", "it is for Windows: leave it out"},
	{"filesystem/windows", "it is for Windows: leave it out"},
	{"cgroups/net_prio", "the kernel's group is no help without a network of the container's own: leave it out"},
	{"linux/devices", "cgroups/devices holds containers to their devices: name that"},
}

// Expand is what a value of --isolation stands for: the names in it, those that
// they imply, and no aliases, in the order in which they prepare. An error says
// what is wrong with the value, and what to do.
func Expand(value string) ([]string, error) {
	named := map[string]bool{}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		for _, name := range namesOf(aliases[part], part) {
			if named[name] {
				return nil, fmt.Errorf("names %s twice: leave one out", name)
			}
			if err := known(name); err != nil {
				return nil, err
			}
			named[name] = true
		}
	}
	imply(named)
	if err := combine(named); err != nil {
		return nil, err
	}
	var list []string
	for _, r := range table {
		if named[r.name] {
			list = append(list, r.name)
		}
	}
	return list, nil
}

func namesOf(list []string, one string) []string {
	if len(list) > 0 {
		return list
	}
	return []string{one}
}

// known says what is wrong with a name.
func known(name string) error {
	if slices.ContainsFunc(table, func(r row) bool { return r.name == name }) || name == everyCgroup {
		return nil
	}
	for _, a := range absent {
		if !strings.HasPrefix(name, a.prefix) {
			continue
		}
		if a.why == "" {
			return nil
		}
		return fmt.Errorf("names %s, which is not here: %s", name, a.why)
	}
	return fmt.Errorf("names %q, which is no isolator: there are %s", name, strings.Join(Known(), ", "))
}

// everyCgroup stands for all of cgroups/….
const everyCgroup = "cgroups/all"

// Known are the names that --isolation may have, beside aliases.
func Known() []string {
	names := make([]string, len(table))
	for i, r := range table {
		names[i] = r.name
	}
	return names
}

// imply adds what goes without saying.
func imply(named map[string]bool) {
	if !hasAny(named, "filesystem/") {
		named["filesystem/posix"] = true
	}
}

func hasAny(named map[string]bool, prefix string) bool {
	for name := range named {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// combine says what of a list cannot be together, or needs another.
func combine(named map[string]bool) error {
	if named["filesystem/posix"] && named["filesystem/linux"] {
		return errors.New("names filesystem/posix and filesystem/linux: leave one out")
	}
	return nil
}

// unmoved is an isolator that holds to nothing: what it stands for is so without
// it, as the accounting of processes by the agent.
type unmoved string

func unmovedBy(name string) func(Settings) (isolator.Isolator, error) {
	return func(Settings) (isolator.Isolator, error) { return unmoved(name), nil }
}

// Name implements isolator.Isolator.
func (u unmoved) Name() string { return string(u) }

// Prepare implements isolator.Isolator.
func (unmoved) Prepare(context.Context, *isolator.Container, *plan.Plan) error { return nil }

// decode reads JSON that may have nothing unknown, and nothing behind it.
func decode(text []byte, into *Settings) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind it")
	}
	return nil
}
