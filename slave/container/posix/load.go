package posix

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Load is how many processes wanted to run, in the mean of the last 1, 5 and 15
// minutes.
func Load() ([3]float64, error) {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return [3]float64{}, err
	}
	return parseLoad(string(data))
}

func parseLoad(text string) (load [3]float64, err error) {
	fields := strings.Fields(text)
	if len(fields) < len(load) {
		return load, fmt.Errorf("/proc/loadavg: no three figures in %q", text)
	}
	for i := range load {
		if load[i], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return load, fmt.Errorf("/proc/loadavg: %w", err)
		}
	}
	return load, nil
}
