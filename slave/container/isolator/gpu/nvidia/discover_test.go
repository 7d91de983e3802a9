package nvidia

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func buses(gpus []GPU) []string {
	var all []string
	for _, g := range gpus {
		all = append(all, g.Bus)
	}
	return all
}

func TestDiscover(t *testing.T) {
	root := fake(t)
	gpus, err := Discover(root)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"0000:03:00.0", "0000:3b:00.0", "0000:af:00.0"}; !slices.Equal(buses(gpus), want) {
		t.Fatalf("found %+v, want %v", gpus, want)
	}
	if g := gpus[0]; g.UUID != "GPU-2" || g.Model != "Tesla V100-PCIE-16GB" || g.Device.Path != root+"/dev/nvidia2" || g.Device.Major != fakes[2][0] || g.Device.Minor != fakes[2][1] {
		t.Errorf("the first is %+v", g)
	}
	// A node that nobody has made yet gets the driver's numbers.
	if err := os.Remove(root + "/dev/nvidia1"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, gpusFolder, "0000:af:00.0/information"), "Device Minor: 0\nGPU Excluded: Yes\n")
	gpus, err = Discover(root)
	if err != nil || len(gpus) != 2 {
		t.Fatalf("found %+v, %v", gpus, err)
	}
	if d := gpus[1].Device; d.Major != 195 || d.Minor != 1 || d.Mode != 0o20666 {
		t.Errorf("the node is to be %+v", d)
	}
	nodes, err := control(root)
	if err != nil || len(nodes) != 4 || nodes[0].Major != 1 || nodes[1].Major != 195 || nodes[1].Minor != 254 || nodes[3].Major != 234 || nodes[3].Minor != 1 {
		t.Errorf("beside GPUs: %+v, %v", nodes, err)
	}
}

func TestMachinesThatCannotBe(t *testing.T) {
	if gpus, err := Discover(t.TempDir()); err != nil || gpus != nil {
		t.Errorf("without the driver: %v, %v", gpus, err)
	}
	for name, c := range map[string]struct {
		spoil func(root string) error
		words string
	}{
		"no minor": {func(r string) error {
			return os.WriteFile(r+"/"+gpusFolder+"/0000:3b:00.0/information", []byte("Model: x\n"), 0o644)
		}, "0000:3b:00.0/information: has no Device Minor"},
		"odd minor": {func(r string) error {
			return os.WriteFile(r+"/"+gpusFolder+"/0000:3b:00.0/information", []byte("Device Minor: x\n"), 0o644)
		}, `minor "x"`},
		"no file":   {func(r string) error { return os.Remove(r + "/" + gpusFolder + "/0000:3b:00.0/information") }, "information"},
		"no majors": {func(r string) error { return os.Remove(r + "/" + majorsFile) }, majorsFile},
		"no device": {func(r string) error {
			if err := os.Remove(r + "/dev/nvidia0"); err != nil {
				return err
			}
			return os.WriteFile(r+"/dev/nvidia0", nil, 0o644)
		}, "dev/nvidia0 is no device"},
		"neither node nor major": {func(r string) error {
			if err := os.Remove(r + "/dev/nvidia0"); err != nil {
				return err
			}
			return os.WriteFile(r+"/"+majorsFile, nil, 0o644)
		}, "dev/nvidia0"},
	} {
		root := fake(t)
		if err := c.spoil(root); err != nil {
			t.Fatal(err)
		}
		_, err := Discover(root)
		if (err != nil) != (c.words != "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: error %v, want %q", name, err, c.words)
		}
	}
}

func TestSelect(t *testing.T) {
	all := []GPU{{Bus: "a"}, {Bus: "b"}, {Bus: "c"}}
	for name, c := range map[string]struct {
		indices []int
		want    []string
		fails   string
	}{
		"all": {nil, []string{"a", "b", "c"}, ""}, "none": {[]int{}, nil, ""}, "two": {[]int{2, 0}, []string{"c", "a"}, ""},
		"beyond": {[]int{0, 3}, nil, "3: is not there: this machine has 3"}, "negative": {[]int{-1}, nil, "-1"}, "twice": {[]int{1, 1}, nil, "more than once"},
	} {
		got, err := Select(all, c.indices)
		if !slices.Equal(buses(got), c.want) || (err != nil) != (c.fails != "") || err != nil && (!strings.Contains(err.Error(), c.fails) || !strings.Contains(err.Error(), "--nvidia_gpu_devices")) {
			t.Errorf("%s: %v, %v", name, buses(got), err)
		}
	}
}

func FuzzInformation(f *testing.F) {
	f.Add([]byte("Model: \t\t Tesla\nGPU UUID: \t GPU-1\nDevice Minor: \t 0\nGPU Excluded:\t No\n"))
	f.Add([]byte("Device Minor: 4294967296\n"))
	f.Add([]byte(":\n::\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		i, err := parse(text)
		if err == nil && (i.minor >= 1<<20 || !strings.Contains(string(text), "Device Minor")) {
			t.Errorf("%q is %+v", text, i)
		}
	})
}
