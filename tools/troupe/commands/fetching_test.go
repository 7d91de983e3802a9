package commands

import (
	"strings"
	"testing"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator/logs"
)

func TestFetchFlags(t *testing.T) {
	a := new(agentFlags)
	given(t, a.add, "--master=m:1", "--work_dir=/w", "--fetcher_cache_dir=/cache", "--fetcher_cache_size=1GB", "--fetcher_stall_timeout=3secs",
		"--frameworks_home=/home", "--fetcher_max_extracted_size=5MB", "--fetcher_max_dictionary_size=128MB", "--container_logger="+loggerModule,
		"--container_logger_max_stdout_size=1MB", "--container_logger_keep=2")
	o, err := a.options()
	if err != nil {
		t.Fatal(err)
	}
	if want := (fetcher.Settings{Home: "/home", StallTimeout: 3 * time.Second, CacheDir: "/cache", CacheSize: 1 << 30, MaxExtracted: 5 << 20, MaxDictionary: 128 << 20}); o.Isolation.Fetching != want {
		t.Errorf("got %+v, want %+v", o.Isolation.Fetching, want)
	}
	if want := (logs.Settings{StdoutSize: 1 << 20, StderrSize: 10 << 20, Keep: 2}); o.Isolation.Logs == nil || *o.Isolation.Logs != want {
		t.Errorf("got %+v, want %+v", o.Isolation.Logs, want)
	}
	a = new(agentFlags)
	given(t, a.add, "--master=m:1", "--work_dir=/w")
	if o, err := a.options(); err != nil || o.Isolation.Logs != nil || o.Isolation.Fetching.CacheSize != 2<<30 || o.Isolation.Fetching.MaxDictionary != 64<<20 {
		t.Errorf("by default: %+v, %v", o.Isolation, err)
	}
}

func TestFetchFlagsAreRefused(t *testing.T) {
	for _, test := range []struct{ flags, want string }{
		{"--fetcher_cache_dir=a", "is not an absolute path"},
		{"--frameworks_home=../a", "is not an absolute path"},
		{"--fetcher_stall_timeout=0secs", "--fetcher_stall_timeout"},
		{"--container_logger=other", "is neither sandbox nor rotate"},
		{"--container_logger=rotate --container_logger_max_stdout_size=4095B", "--container_logger_max_stdout_size=\"4095B\" is less than 4KB"},
		{"--container_logger=rotate --container_logger_max_stderr_size=0B", "--container_logger_max_stderr_size"},
		{"--container_logger=rotate --container_logger_keep=-1", "--container_logger_keep"},
		{"--container_logger=rotate --container_logger_keep=101", "is above 100"},
	} {
		a := new(agentFlags)
		given(t, a.add, append([]string{"--master=m:1", "--work_dir=/w"}, strings.Fields(test.flags)...)...)
		if _, err := a.options(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.flags, err, test.want)
		}
	}
}

func TestTasksFetch(t *testing.T) {
	tasks, err := parseTasks([]byte(`[{"name": "a", "command": "true", "uris": ["http://h/x.tgz", "/y"]}]`), 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &mesos.TaskInfo{Command: &mesos.CommandInfo{}}
	tasks[0].Edit(info)
	if u := info.Command.Uris; len(u) != 2 || u[0].GetValue() != "http://h/x.tgz" || !u[0].GetCache() || !u[0].GetExtract() || u[1].GetValue() != "/y" {
		t.Errorf("got %v", u)
	}
}
