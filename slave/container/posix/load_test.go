package posix

import "testing"

func TestLoad(t *testing.T) {
	load, err := Load()
	for i, l := range load {
		if err != nil || !(l >= 0) {
			t.Errorf("load %d is %v, %v", i, l, err)
		}
	}
	if got, err := parseLoad("0.50 1.25 3 2/345 678\n"); err != nil || got != [3]float64{0.5, 1.25, 3} {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "1 2", "1 2 x 3/4 5"} {
		if _, err := parseLoad(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("0.50 1.25 3 2/345 678\n")
	f.Add("NaN -1")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = parseLoad(text) // any text is an error or a load
	})
}
