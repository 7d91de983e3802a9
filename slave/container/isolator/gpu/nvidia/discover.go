package nvidia

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/slave/container/plan"
)

// GPU is one that the driver has.
type GPU struct {
	// Bus is its address, as 0000:3b:00.0, by which GPUs are in order.
	Bus string
	// UUID and Model are the driver's words; may be empty.
	UUID, Model string
	// Device is its node.
	Device plan.Device
}

// Folders of the machine, below the root of its files.
const (
	gpusFolder  = "proc/driver/nvidia/gpus"
	majorsFile  = "proc/devices"
	devFolder   = "dev"
	controlNode = 255
	modesetNode = 254
)

// Discover finds the GPUs of the machine whose files are below root ("/" for this
// one), in the order of their addresses, which is that of nvidia-smi. Without
// the driver there are none. A GPU that the driver leaves alone does not count.
func Discover(root string) ([]GPU, error) {
	folders, err := os.ReadDir(filepath.Join(root, gpusFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := majors(root)
	if err != nil {
		return nil, err
	}
	var gpus []GPU
	for _, f := range folders {
		path := filepath.Join(root, gpusFolder, f.Name(), "information")
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		i, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i.excluded {
			continue
		}
		g := GPU{Bus: f.Name(), UUID: i.uuid, Model: i.model}
		if g.Device, err = node(root, fmt.Sprint("nvidia", i.minor), all.of("nvidia", "nvidia-frontend"), i.minor); err != nil {
			return nil, err
		}
		gpus = append(gpus, g)
	}
	slices.SortFunc(gpus, func(a, b GPU) int { return cmp.Compare(a.Bus, b.Bus) })
	return gpus, nil
}

// Select takes some by their places in the order, as --nvidia_gpu_devices has
// them; nil takes all. Errors name the flag.
func Select(all []GPU, indices []int) ([]GPU, error) {
	if indices == nil {
		return all, nil
	}
	var some []GPU
	for n, i := range indices {
		if i < 0 || i >= len(all) {
			return nil, field.Invalid("--nvidia_gpu_devices", i, "is not there: this machine has %d GPUs", len(all))
		}
		if slices.Contains(indices[:n], i) {
			return nil, field.Invalid("--nvidia_gpu_devices", i, "is given more than once")
		}
		some = append(some, all[i])
	}
	return some, nil
}

// control are the nodes beside those of GPUs that their programs need.
func control(root string) ([]plan.Device, error) {
	all, err := majors(root)
	if err != nil {
		return nil, err
	}
	ctl, err := node(root, "nvidiactl", all.of("nvidia", "nvidia-frontend"), controlNode)
	if err != nil {
		return nil, err
	}
	found := []plan.Device{ctl}
	for _, n := range []struct {
		name  string
		major uint32
		minor uint32
	}{
		{"nvidia-modeset", all.of("nvidia-modeset", "nvidia", "nvidia-frontend"), modesetNode},
		{"nvidia-uvm", all["nvidia-uvm"], 0},
		{"nvidia-uvm-tools", all["nvidia-uvm"], 1},
	} {
		// Not every driver has these.
		if d, err := node(root, n.name, n.major, n.minor); err == nil {
			found = append(found, d)
		}
	}
	return found, nil
}

// node is what a node of /dev is, or is to be where it has not been made yet.
func node(root, name string, major, minor uint32) (plan.Device, error) {
	path := filepath.Join(root, devFolder, name)
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	switch {
	case err == nil && s.Mode&unix.S_IFMT == unix.S_IFCHR:
		return plan.Device{Path: path, Mode: s.Mode, Major: unix.Major(s.Rdev), Minor: unix.Minor(s.Rdev)}, nil
	case err == nil:
		return plan.Device{}, fmt.Errorf("%s is no device", path)
	case errors.Is(err, fs.ErrNotExist) && major != 0:
		return plan.Device{Path: path, Mode: unix.S_IFCHR | 0o666, Major: major, Minor: minor}, nil
	}
	return plan.Device{}, &fs.PathError{Op: "look at", Path: path, Err: err}
}

// numbers are the majors of drivers by name.
type numbers map[string]uint32

// of is that of the first name that there is, and 0 without one.
func (n numbers) of(names ...string) uint32 {
	for _, name := range names {
		if m := n[name]; m != 0 {
			return m
		}
	}
	return 0
}

// majors reads those of character devices.
func majors(root string) (numbers, error) {
	text, err := os.ReadFile(filepath.Join(root, majorsFile))
	if err != nil {
		return nil, err
	}
	found := numbers{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "Block devices:") {
			break
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if n, err := strconv.ParseUint(fields[0], 10, 12); err == nil {
			found[fields[1]] = uint32(n)
		}
	}
	return found, nil
}

// information is of /proc/driver/nvidia/gpus/BUS/information.
type information struct {
	minor       uint32
	uuid, model string
	excluded    bool
}

// parse reads what the driver says of a GPU: lines of a name, a colon and a value.
// It must have a Device Minor.
func parse(text []byte) (information, error) {
	var i information
	has := false
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(name) {
		case "Model":
			i.model = value
		case "GPU UUID":
			i.uuid = value
		case "GPU Excluded", "Blacklisted":
			i.excluded = i.excluded || value == "Yes"
		case "Device Minor":
			n, err := strconv.ParseUint(value, 10, 20)
			if err != nil {
				return i, fmt.Errorf("device minor %q is no number", value)
			}
			i.minor, has = uint32(n), true
		}
	}
	if err := lines.Err(); err != nil {
		return i, err
	}
	if !has {
		return i, errors.New("has no Device Minor")
	}
	return i, nil
}
