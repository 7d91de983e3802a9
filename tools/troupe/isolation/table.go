package isolation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// row is an isolator that can be asked for.
type row struct {
	name string
	// implied: nobody has to name it, and nobody can.
	implied bool
	make    func(*maker) (isolator.Isolator, error)
}

// Names that mean something here.
const (
	posixFilesystem  = "filesystem/posix"
	linuxFilesystem  = "filesystem/linux"
	sharedFilesystem = "filesystem/shared"
	persistent       = "volume/persistent"
	sandboxPath      = "volume/sandbox_path"
	hostPath         = "volume/host_path"
	secretVolume     = "volume/secret"
	secretVariables  = "environment_secret"
	everyCgroup      = "cgroups/all"
	gpus             = "gpu/nvidia"
	killing          = "cgroups/kill"
	rotation         = "logs"
)

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
	{"docker/volume", "volumes of drivers are not mounted here: leave it out, or name volume/host_path"},
	{"docker/", "there are no images here: leave it out"},
	{"appc/", "there are no images here: leave it out"},
	{"volume/image", "there are no images here: leave it out"},
	{"volume/csi", "volumes of drivers are not mounted here: leave it out, or name volume/host_path"},
	{"windows/", "it is for Windows: leave it out"},
	{"filesystem/windows", "it is for Windows: leave it out"},
	{"cgroups/net_prio", "containers share the network of the machine: leave it out"},
	{"linux/devices", "cgroups/devices holds containers to their devices: name that instead"},
}

// Expand is what a value of --isolation stands for: the names in it, those that
// they imply, and no aliases, in the order in which they prepare. An error says
// what is wrong with the value, and what to do.
func Expand(value string, groups cgroups.Settings) ([]string, error) {
	named := map[string]bool{}
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		for _, name := range namesOf(part) {
			if named[name] {
				return nil, fmt.Errorf("names %s twice: leave one out", name)
			}
			if err := known(name); err != nil {
				return nil, err
			}
			named[name] = true
		}
	}
	if err := everything(named, groups); err != nil {
		return nil, err
	}
	if err := combine(named); err != nil {
		return nil, err
	}
	imply(named)
	var list []string
	for _, r := range table {
		if named[r.name] {
			list = append(list, r.name)
		}
	}
	return list, nil
}

func namesOf(part string) []string {
	if list := aliases[part]; list != nil {
		return list
	}
	return []string{part}
}

// known says what is wrong with a name.
func known(name string) error {
	if name == everyCgroup || slices.Contains(Known(), name) {
		return nil
	}
	for _, a := range absent {
		switch {
		case !strings.HasPrefix(name, a.prefix):
		case a.why == "":
			return nil
		default:
			return fmt.Errorf("names %s, which is not here: %s", name, a.why)
		}
	}
	return fmt.Errorf("names %q, which is no isolator; there are %s", name, strings.Join(Known(), ", "))
}

// Known are the names that --isolation may have, beside aliases and cgroups/all.
func Known() []string {
	var names []string
	for _, r := range table {
		if !r.implied {
			names = append(names, r.name)
		}
	}
	return names
}

// everything puts what this machine has in the place of cgroups/all.
func everything(named map[string]bool, groups cgroups.Settings) error {
	if !named[everyCgroup] {
		return nil
	}
	delete(named, everyCgroup)
	tree, err := cgroups.Open(groups)
	if err != nil {
		return err
	}
	all, err := tree.All()
	if err != nil {
		return err
	}
	for _, name := range all {
		if known(name) != nil {
			continue // a group that means nothing here
		}
		if named[name] {
			return fmt.Errorf("names %s and %s: leave one out", everyCgroup, name)
		}
		named[name] = true
	}
	return nil
}

// combine says what of a list cannot be together, or needs another.
func combine(named map[string]bool) error {
	var filesystems []string
	for _, name := range []string{posixFilesystem, sharedFilesystem, linuxFilesystem} {
		if named[name] {
			filesystems = append(filesystems, name)
		}
	}
	if len(filesystems) > 1 {
		return fmt.Errorf("names %s: a container has one file system, leave the others out", strings.Join(filesystems, " and "))
	}
	if named[sharedFilesystem] && named[sandboxPath] {
		return fmt.Errorf("names %s and %s: a relative host_path would mean two things, leave one out", sharedFilesystem, sandboxPath)
	}
	if named["disk/du"] && named["disk/xfs"] {
		return errors.New("names disk/du and disk/xfs: one of them counts, leave the other out")
	}
	for _, need := range []struct{ name, needs string }{
		{hostPath, linuxFilesystem},
		{secretVolume, linuxFilesystem},
		{gpus, linuxFilesystem},
		{gpus, "cgroups/devices"},
	} {
		if named[need.name] && !named[need.needs] {
			return fmt.Errorf("names %s, which needs %s: name that too", need.name, need.needs)
		}
	}
	return nil
}

// imply adds what goes without saying.
func imply(named map[string]bool) {
	named[secretVariables] = true
	switch {
	case named[linuxFilesystem]:
		named[persistent], named[sandboxPath], named[hostPath] = true, true, true
	case !named[sharedFilesystem]:
		named[posixFilesystem] = true
	}
	if !named[linuxFilesystem] {
		delete(named, sandboxPath) // links do it
	}
	for name := range named {
		if strings.HasPrefix(name, "cgroups/") {
			named[killing] = true
			return
		}
	}
}

// Confining is one of the names whose isolator takes an init around programs; empty
// if none does.
func Confining(names []string) string {
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "posix/") && name != "posix/rlimits", strings.HasPrefix(name, "disk/"),
			name == posixFilesystem, name == secretVariables:
		default:
			return name
		}
	}
	return ""
}
