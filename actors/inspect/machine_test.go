package inspect

import "testing"

func TestMachine(t *testing.T) {
	got := make(map[string]float64)
	Machine(func(key string, value float64) { got[key] = value })
	for _, key := range []string{"system/cpus_total", "system/mem_total_bytes", "system/mem_free_bytes"} {
		if got[key] <= 0 {
			t.Errorf("%s is %g", key, got[key])
		}
	}
	for _, key := range []string{"system/load_1min", "system/load_5min", "system/load_15min"} {
		if load, there := got[key]; !there || load < 0 || load > 1e6 {
			t.Errorf("%s is %g", key, load)
		}
	}
	if got["system/mem_free_bytes"] > got["system/mem_total_bytes"] {
		t.Error("more memory is free than there is")
	}
}
