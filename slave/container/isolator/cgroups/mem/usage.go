package mem

import (
	"errors"
	"fmt"
	"os"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// Usage implements isolator.Meter.
func (i *Isolator) Usage(c *isolator.Container, u *mesos.ResourceStatistics) error {
	dir := i.Dir(0, c)
	var err error
	if i.Unified() {
		err = usage2(dir, u)
	} else if err = i.usage1(dir, u); err == nil {
		err = i.pressures(dir, u)
	}
	if cgroups.IsGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups/mem: %w", err)
	}
	return nil
}

func (i *Isolator) usage1(dir string, u *mesos.ResourceStatistics) error {
	total, err := cgroups.Number(dir, "memory.usage_in_bytes")
	if err != nil {
		return err
	}
	u.MemTotalBytes = &total
	if i.swap {
		err = optional(dir, "memory.memsw.usage_in_bytes", &u.MemTotalMemswBytes)
	} else {
		both := total // on a machine without swap, as most are: one file less to read
		u.MemTotalMemswBytes = &both
	}
	if err == nil {
		err = optional(dir, "memory.kmem.usage_in_bytes", &u.MemKmemUsageBytes)
	}
	if err == nil {
		err = optional(dir, "memory.kmem.tcp.usage_in_bytes", &u.MemKmemTcpUsageBytes)
	}
	if err != nil {
		return err
	}
	return cgroups.Keyed(dir, "memory.stat", func(key []byte, v uint64) { stat1(u, key, v) })
}

// stat1 takes the counters that include nested containers.
func stat1(u *mesos.ResourceStatistics, key []byte, v uint64) {
	switch string(key) {
	case "total_cache":
		file := v
		u.MemCacheBytes, u.MemFileBytes = &v, &file
	case "total_rss":
		anon := v
		u.MemRssBytes, u.MemAnonBytes = &v, &anon
	case "total_mapped_file":
		u.MemMappedFileBytes = &v
	case "total_swap":
		u.MemSwapBytes = &v
	case "total_unevictable":
		u.MemUnevictableBytes = &v
	}
}

func usage2(dir string, u *mesos.ResourceStatistics) error {
	total, err := cgroups.Number(dir, "memory.current")
	if err != nil {
		return err
	}
	u.MemTotalBytes = &total
	if err := optional(dir, "memory.swap.current", &u.MemSwapBytes); err != nil {
		return err
	}
	if u.MemSwapBytes != nil {
		both := total + *u.MemSwapBytes
		u.MemTotalMemswBytes = &both
	}
	return cgroups.Keyed(dir, "memory.stat", func(key []byte, v uint64) { stat2(u, key, v) })
}

func stat2(u *mesos.ResourceStatistics, key []byte, v uint64) {
	switch string(key) {
	case "file":
		cache := v
		u.MemFileBytes, u.MemCacheBytes = &v, &cache
	case "anon":
		rss := v
		u.MemAnonBytes, u.MemRssBytes = &v, &rss
	case "file_mapped":
		u.MemMappedFileBytes = &v
	case "unevictable":
		u.MemUnevictableBytes = &v
	case "kernel": // since Linux 5.18
		u.MemKmemUsageBytes = &v
	case "sock":
		u.MemKmemTcpUsageBytes = &v
	}
}

// optional reads what a kernel may lack; nil then.
func optional(dir, file string, to **uint64) error {
	n, err := cgroups.Number(dir, file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		*to = &n
	}
	return err
}
