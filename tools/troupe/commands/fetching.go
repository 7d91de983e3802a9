package commands

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator/logs"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/isolation"
)

// Defaults, in bytes.
const (
	fetchedAtMost    = 2 << 30
	extractedAtMost  = 64 << 30
	dictionaryAtMost = 64 << 20
)

// fetchFlags are about what commands have fetched.
type fetchFlags struct {
	home, cache     string
	size, extracted flags.Bytes
	dictionary      flags.Bytes
	stall           flags.Duration
}

func (f *fetchFlags) add(set *pflag.FlagSet) {
	f.size = fetchedAtMost
	set.StringVar(&f.cache, "fetcher_cache_dir", "", "folder of what was fetched to be cached; fetch in --work_dir if empty")
	set.Var(&f.size, "fetcher_cache_size", "which that folder may grow to; 0B: nothing is cached")
	duration(set, &f.stall, "fetcher_stall_timeout", time.Minute, "for which a server may send nothing")
	f.extracted = extractedAtMost
	set.Var(&f.extracted, "fetcher_max_extracted_size", "which an archive may become; 0B: as much as the disk has room for")
	f.dictionary = dictionaryAtMost
	set.Var(&f.dictionary, "fetcher_max_dictionary_size", "of memory that an archive of xz or zstd may want to be unpacked; 0B: as much as the container has")
	set.StringVar(&f.home, "frameworks_home", "", "folder that paths in URIs are relative to; none are if empty")
}

// settings checks the flags.
func (f *fetchFlags) settings() (fetcher.Settings, error) {
	for _, path := range []struct{ name, value string }{{"fetcher_cache_dir", f.cache}, {"frameworks_home", f.home}} {
		if path.value != "" && !filepath.IsAbs(path.value) {
			return fetcher.Settings{}, flagError(path.name, path.value, "is not an absolute path")
		}
	}
	return fetcher.Settings{
		Home: f.home, StallTimeout: time.Duration(f.stall), CacheDir: f.cache, CacheSize: int64(f.size),
		MaxExtracted: int64(f.extracted), MaxDictionary: int64(f.dictionary),
	}, positive(namedDuration{"fetcher_stall_timeout", f.stall})
}

// Values of --container_logger.
const (
	loggerSandbox = "sandbox"
	loggerRotate  = "rotate"
	// What Mesos calls the module that rotates.
	loggerModule = "org_apache_mesos_LogrotateContainerLogger"
)

// isolationOf is what the flags say of how containers are made.
func (a *agentFlags) isolationOf() (s isolation.Settings, err error) {
	if s, err = a.isolation.settings(); err != nil {
		return s, err
	}
	if s.Fetching, err = a.fetching.settings(); err != nil {
		return s, err
	}
	l, err := a.output.settings()
	if l != nil {
		s.Rotate(*l)
	}
	return s, err
}

// outputFlags are about the output of containers.
type outputFlags struct {
	logger         string
	stdout, stderr flags.Bytes
	keep           int
}

func (o *outputFlags) add(set *pflag.FlagSet) {
	set.StringVar(&o.logger, "container_logger", loggerSandbox, "what becomes of tasks' output: sandbox keeps all of it in the sandbox, rotate ("+loggerModule+") what was written last")
	o.stdout, o.stderr = logs.DefaultSize, logs.DefaultSize
	set.Var(&o.stdout, "container_logger_max_stdout_size", "at which stdout is rotated; tasks can ask for another in CONTAINER_LOGGER_MAX_STDOUT_SIZE")
	set.Var(&o.stderr, "container_logger_max_stderr_size", "at which stderr is rotated; tasks can ask for another in CONTAINER_LOGGER_MAX_STDERR_SIZE")
	set.IntVar(&o.keep, "container_logger_keep", logs.DefaultKeep, "older files, stdout.1 and so on, that are kept of each")
}

// settings are nil when all output is kept.
func (o *outputFlags) settings() (*logs.Settings, error) {
	switch o.logger {
	case loggerSandbox:
		return nil, nil
	case loggerRotate, loggerModule:
	default:
		return nil, flagError("container_logger", o.logger, "is neither "+loggerSandbox+" nor "+loggerRotate+" ("+loggerModule+")")
	}
	if o.stdout < logs.MinSize {
		return nil, flagError("container_logger_max_stdout_size", o.stdout.String(), "is less than 4KB")
	}
	if o.stderr < logs.MinSize {
		return nil, flagError("container_logger_max_stderr_size", o.stderr.String(), "is less than 4KB")
	}
	if err := atLeast(0, namedInt{"container_logger_keep", o.keep}); err != nil {
		return nil, err
	}
	if o.keep > logs.MaxKeep {
		return nil, flagError("container_logger_keep", strconv.Itoa(o.keep), fmt.Sprintf("is above %d", logs.MaxKeep))
	}
	return &logs.Settings{StdoutSize: uint64(o.stdout), StderrSize: uint64(o.stderr), Keep: o.keep}, nil
}
