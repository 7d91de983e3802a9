package inspect

import (
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// loadScale is how the kernel multiplies what it says of the load.
const loadScale = 1 << 16

// Machine puts what the machine has, by the keys that Mesos gives it. On a
// machine that does not say, it puts only the number of processors.
func Machine(put func(key string, value float64)) {
	put("system/cpus_total", float64(runtime.NumCPU()))
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return
	}
	put("system/load_1min", float64(info.Loads[0])/loadScale)
	put("system/load_5min", float64(info.Loads[1])/loadScale)
	put("system/load_15min", float64(info.Loads[2])/loadScale)
	put("system/mem_total_bytes", float64(info.Totalram)*float64(info.Unit))
	put("system/mem_free_bytes", float64(info.Freeram)*float64(info.Unit))
}

// machine is what /system/stats.json shows: the same figures, by keys that are
// older.
func machine() map[string]float64 {
	figures := map[string]float64{}
	Machine(func(key string, value float64) {
		key = strings.TrimPrefix(key, "system/")
		if strings.HasPrefix(key, "load_") {
			key = "avg_" + key
		}
		figures[key] = value
	})
	return figures
}
