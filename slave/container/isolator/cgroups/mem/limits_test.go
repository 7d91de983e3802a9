package mem

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"testing"

	"troupe/slave/container/isolator"
)

// resident is the memory of a process, in bytes.
func resident(t *testing.T, pid int) uint64 {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseUint(string(bytes.Fields(data)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * uint64(os.Getpagesize())
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		amounts    isolator.Amounts
		soft, hard uint64
	}{
		{isolator.Amounts{Mem: 100 * mib}, 100 * mib, 100 * mib},
		{isolator.Amounts{}, 32 * mib, 32 * mib},
		{isolator.Amounts{Mem: mib, MemLimit: limit(2 * mib)}, 32 * mib, 32 * mib},
		{isolator.Amounts{Mem: 50 * mib, MemLimit: limit(80 * mib)}, 50 * mib, 80 * mib},
		{isolator.Amounts{Mem: 50 * mib, MemLimit: limit(math.Inf(1))}, 50 * mib, unlimited},
		{isolator.Amounts{Mem: 50 * mib, MemLimit: limit(math.MaxFloat64)}, 50 * mib, unlimited},
		{isolator.Amounts{Mem: 50 * mib, MemLimit: limit(math.NaN())}, 50 * mib, 32 * mib},
		{isolator.Amounts{Mem: 50 * mib, MemLimit: limit(-1)}, 50 * mib, 32 * mib},
	} {
		if soft, hard := limits(c.amounts); soft != c.soft || hard != c.hard {
			t.Errorf("%+v: %d, %d; want %d, %d", c.amounts, soft, hard, c.soft, c.hard)
		}
	}
}

func TestOOMScore(t *testing.T) {
	i := &Isolator{total: 1024 * mib}
	for _, c := range []struct {
		amounts isolator.Amounts
		shared  bool
		score   int
		set     bool
	}{
		{amounts: isolator.Amounts{Mem: 100 * mib}},
		{amounts: isolator.Amounts{Mem: 256 * mib, MemLimit: limit(math.Inf(1))}, score: 750, set: true},
		{amounts: isolator.Amounts{Mem: 256 * mib, MemLimit: limit(512 * mib)}, score: 750, set: true},
		{amounts: isolator.Amounts{Mem: 2048 * mib, MemLimit: limit(4096 * mib)}, score: 0, set: true},
		{amounts: isolator.Amounts{Mem: 256 * mib, MemLimit: limit(512 * mib)}, shared: true},
	} {
		if score, set := i.oomScore(&isolator.Container{Amounts: c.amounts, Shared: c.shared}); score != c.score || set != c.set {
			t.Errorf("%+v: %d, %v; want %d, %v", c.amounts, score, set, c.score, c.set)
		}
	}
}
