package perfevent

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/mesos"
)

// event is one that the kernel counts.
type event struct {
	name         string
	kind         uint32
	config       uint64
	field        protoreflect.FieldDescriptor // of PerfStatistics
	milliseconds bool                         // the kernel counts nanoseconds
}

// hardware and software events by their names in perf-list(1), with - and _ alike.
var hardware = map[string]uint64{
	"cycles": unix.PERF_COUNT_HW_CPU_CYCLES, "instructions": unix.PERF_COUNT_HW_INSTRUCTIONS,
	"cache_references": unix.PERF_COUNT_HW_CACHE_REFERENCES, "cache_misses": unix.PERF_COUNT_HW_CACHE_MISSES,
	"branches": unix.PERF_COUNT_HW_BRANCH_INSTRUCTIONS, "branch_misses": unix.PERF_COUNT_HW_BRANCH_MISSES,
	"bus_cycles": unix.PERF_COUNT_HW_BUS_CYCLES, "ref_cycles": unix.PERF_COUNT_HW_REF_CPU_CYCLES,
	"stalled_cycles_frontend": unix.PERF_COUNT_HW_STALLED_CYCLES_FRONTEND,
	"stalled_cycles_backend":  unix.PERF_COUNT_HW_STALLED_CYCLES_BACKEND,
}

var software = map[string]uint64{
	"cpu_clock": unix.PERF_COUNT_SW_CPU_CLOCK, "task_clock": unix.PERF_COUNT_SW_TASK_CLOCK,
	"page_faults": unix.PERF_COUNT_SW_PAGE_FAULTS, "minor_faults": unix.PERF_COUNT_SW_PAGE_FAULTS_MIN,
	"major_faults": unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ, "context_switches": unix.PERF_COUNT_SW_CONTEXT_SWITCHES,
	"cpu_migrations": unix.PERF_COUNT_SW_CPU_MIGRATIONS, "alignment_faults": unix.PERF_COUNT_SW_ALIGNMENT_FAULTS,
	"emulation_faults": unix.PERF_COUNT_SW_EMULATION_FAULTS,
}

// caches and what is done with them make the other events.
var caches = map[string]uint64{
	"l1_dcache": unix.PERF_COUNT_HW_CACHE_L1D, "l1_icache": unix.PERF_COUNT_HW_CACHE_L1I, "llc": unix.PERF_COUNT_HW_CACHE_LL,
	"dtlb": unix.PERF_COUNT_HW_CACHE_DTLB, "itlb": unix.PERF_COUNT_HW_CACHE_ITLB, "branch": unix.PERF_COUNT_HW_CACHE_BPU,
	"node": unix.PERF_COUNT_HW_CACHE_NODE,
}

var operations = map[string]uint64{
	"loads": 0, "load_misses": unix.PERF_COUNT_HW_CACHE_RESULT_MISS << 16,
	"stores": unix.PERF_COUNT_HW_CACHE_OP_WRITE << 8, "store_misses": unix.PERF_COUNT_HW_CACHE_OP_WRITE<<8 | unix.PERF_COUNT_HW_CACHE_RESULT_MISS<<16,
	"prefetches":      unix.PERF_COUNT_HW_CACHE_OP_PREFETCH << 8,
	"prefetch_misses": unix.PERF_COUNT_HW_CACHE_OP_PREFETCH<<8 | unix.PERF_COUNT_HW_CACHE_RESULT_MISS<<16,
}

// named finds an event by a name such as "task-clock" or "LLC-load-misses".
func named(name string) (event, error) {
	plain := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
	e := event{name: name, milliseconds: plain == "cpu_clock" || plain == "task_clock"}
	fields := (&mesos.PerfStatistics{}).ProtoReflect().Descriptor().Fields()
	if e.field = fields.ByName(protoreflect.Name(plain)); e.field == nil {
		return e, fmt.Errorf("--perf_events: no event %q: see perf list", name)
	}
	if config, ok := hardware[plain]; ok {
		e.kind, e.config = unix.PERF_TYPE_HARDWARE, config
		return e, nil
	}
	if config, ok := software[plain]; ok {
		e.kind, e.config = unix.PERF_TYPE_SOFTWARE, config
		return e, nil
	}
	for cache, id := range caches {
		if rest, ok := strings.CutPrefix(plain, cache+"_"); ok {
			if op, ok := operations[rest]; ok {
				e.kind, e.config = unix.PERF_TYPE_HW_CACHE, id|op
				return e, nil
			}
		}
	}
	return e, fmt.Errorf("--perf_events: no event %q: see perf list", name)
}

// set puts a count into its field.
func (e event) set(to *mesos.PerfStatistics, count uint64) {
	value := protoreflect.ValueOfUint64(count)
	if e.milliseconds {
		value = protoreflect.ValueOfFloat64(float64(count) / 1e6)
	}
	to.ProtoReflect().Set(e.field, value)
}
