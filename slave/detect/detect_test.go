package detect

import (
	"path/filepath"
	"strings"
	"testing"

	"troupe/messages/resources"
)

func TestResources(t *testing.T) {
	big := Machine{CPUs: 8, Memory: 16 * gigabyte, Disk: 100 * gigabyte}
	small := Machine{CPUs: 1, Memory: gigabyte, Disk: 8 * gigabyte}
	for _, test := range []struct {
		text string
		m    Machine
		want string
	}{
		{"", big, "cpus:8;mem:15360;disk:97280;ports:[31000-32000]"},
		{"", small, "cpus:1;mem:512;disk:4096;ports:[31000-32000]"},
		{"cpus:2;mem:64;disk:10;ports:[1-2]", big, "cpus:2;mem:64;disk:10;ports:[1-2]"},
		{"gpus:2;mem(ads):64", big, "cpus:8;gpus:2;mem(ads):64;disk:97280;ports:[31000-32000]"},
	} {
		got, err := Resources(test.text, "*", test.m, &shelf{})
		if err != nil || !got.Equal(resources.MustParse(test.want)) {
			t.Errorf("Resources(%q, %+v) = %v, %v; want %s", test.text, test.m, got, err, test.want)
		}
	}
}

func TestResourcesForARole(t *testing.T) {
	got, err := Resources("cpus:2", "ads", Machine{CPUs: 1, Memory: gigabyte, Disk: gigabyte}, &shelf{})
	if want := resources.MustParse("cpus(ads):2;mem(ads):512;disk(ads):512;ports(ads):[31000-32000]"); err != nil || !got.Equal(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestBadResourcesAreNamed(t *testing.T) {
	if _, err := Resources("cpus:many", "*", Machine{CPUs: 1}, &shelf{}); err == nil || !strings.Contains(err.Error(), "many") {
		t.Errorf("got %v", err)
	}
}

func TestMeasure(t *testing.T) {
	m, err := Measure(t.TempDir())
	if err != nil || m.CPUs < 1 || m.Memory < 64*megabyte || m.Disk < megabyte {
		t.Errorf("%+v, %v", m, err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Measure(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing work directory: %v", err)
	}
}

func TestGPUs(t *testing.T) {
	for _, test := range []struct {
		text string
		gpus int // -1: nobody gives them
		want string
		word string
	}{
		{"", 2, "gpus:2;cpus:1;mem:512;disk:512;ports:[31000-32000]", ""},
		{"", 0, "cpus:1;mem:512;disk:512;ports:[31000-32000]", ""},
		{"gpus:1", 2, "gpus:1;cpus:1;mem:512;disk:512;ports:[31000-32000]", ""},
		{"gpus(a):1;gpus:1", 2, "gpus(a):1;gpus:1;cpus:1;mem:512;disk:512;ports:[31000-32000]", ""},
		{"gpus:7", -1, "gpus:7;cpus:1;mem:512;disk:512;ports:[31000-32000]", ""},
		{"gpus:3", 2, "", "(gpus): 3: are more than the 2"},
		{"gpus(a):2;gpus:1", 2, "", "(gpus): 3: are more than the 2"},
		{"gpus:0.5", 2, "", "must be a whole number"},
	} {
		m := Machine{CPUs: 1, Memory: gigabyte, Disk: gigabyte}
		if test.gpus >= 0 {
			m.GPUs = &test.gpus
		}
		got, err := Resources(test.text, "*", m, &shelf{})
		if (err != nil) != (test.word != "") || err != nil && !strings.Contains(err.Error(), test.word) || err == nil && !got.Equal(resources.MustParse(test.want)) {
			t.Errorf("%q of %d: %v, %v; want %s%s", test.text, test.gpus, got, err, test.want, test.word)
		}
	}
}
