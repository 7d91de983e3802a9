package haproxy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func configOf(sticky bool, servers ...string) Config {
	b := Backend{Name: "b", Rule: Rule{Port: 1, Balance: "roundrobin", Sticky: sticky}}
	for _, s := range servers {
		b.Servers = append(b.Servers, Server{s, "10.0.0.1", 1})
	}
	return Config{Backends: []Backend{b}}
}

// simulated does what it is told, as HAProxy does; busy are the servers that cannot be
// deleted.
type simulated struct {
	servers map[string]state
	busy    map[string]bool
}

func (p *simulated) do(command string) string {
	f := strings.Fields(command)
	_, name, _ := strings.Cut(f[2], "/")
	current, known := p.servers[name]
	switch f[0] + " " + f[1] {
	case "add server":
		if known {
			return "Already exists a server with the same name in backend."
		}
		p.servers[name] = maintenance
		return answerAdded
	case "enable health":
		return answerNone
	case "set server":
		if !known {
			return "No such server."
		}
		p.servers[name] = state(f[4])
		return answerNone
	case "del server":
		if !known || current != maintenance {
			return "Only servers in maintenance mode can be deleted."
		}
		if p.busy[name] {
			return "Server still has connections attached to it, cannot remove it."
		}
		delete(p.servers, name)
		return answerDeleted
	}
	return "Unknown command"
}

// After any changes the process has just the wanted servers ready, knows what we
// think it knows, was told nothing that it refused, and in the end keeps nothing.
func TestStepsLeadToWhatIsWanted(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	subset := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID)
	rapid.Check(t, func(t *rapid.T) {
		first := subset.Draw(t, "first")
		r := newRunning(configOf(false, first...), &usage{})
		p := &simulated{servers: map[string]state{}, busy: map[string]bool{}}
		for _, name := range first {
			p.servers[name] = ready
		}
		apply := func(c Config) {
			steps, enough := r.steps(c)
			if !enough {
				t.Fatal("a reload for servers alone")
			}
			for _, s := range steps {
				if got := p.do(s.command); slices.Contains(s.answers, got) {
					s.done()
				} else if !s.may {
					t.Fatalf("%s: %s", s.command, got)
				}
			}
			for name, s := range r.servers["b"] {
				if p.servers[name] != s.state {
					t.Fatalf("%s is %q, we think %q", name, p.servers[name], s.state)
				}
			}
			if len(p.servers) != len(r.servers["b"]) {
				t.Fatalf("%v, we think %v", p.servers, r.servers["b"])
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			for _, name := range names {
				p.busy[name] = rapid.Bool().Draw(t, "busy")
			}
			wanted := subset.Draw(t, "wanted")
			apply(configOf(false, wanted...))
			for _, name := range names {
				if (p.servers[name] == ready) != slices.Contains(wanted, name) {
					t.Fatalf("%s is %q, wanted are %v", name, p.servers[name], wanted)
				}
			}
		}
		clear(p.busy)
		for range 2 {
			apply(configOf(false))
		}
		if len(p.servers) != 0 {
			t.Fatalf("%v are left", p.servers)
		}
	})
}

func TestWhatNeedsAReload(t *testing.T) {
	r := newRunning(configOf(false, "a"), &usage{})
	moved := configOf(false, "a")
	moved.Backends[0].Servers[0].Port = 2
	other := configOf(false, "a")
	other.Backends[0].Rule.Hosts = []string{"x"}
	another := configOf(false, "a")
	another.Backends = append(another.Backends, Backend{Name: "c"})
	set := configOf(false, "a")
	set.Settings.HTTP = "*:80"
	for name, c := range map[string]Config{"a server elsewhere": moved, "another rule": other, "another backend": another, "none": {}, "settings": set} {
		if _, enough := r.steps(c); enough {
			t.Error(name)
		}
	}
	sticky := newRunning(configOf(true, "a"), &usage{})
	if _, enough := sticky.steps(configOf(true, "a", "b")); enough {
		t.Error("a server with a cookie")
	}
	if steps, enough := sticky.steps(configOf(true)); !enough || len(steps) != 1 {
		t.Error(steps)
	}
	// What can be told is told before the reload, what leaves first.
	steps, enough := r.steps(another)
	if len(steps) != 0 || enough {
		t.Error(steps)
	}
	another.Backends[0].Servers = []Server{{"b", "10.0.0.1", 1}}
	if steps, _ := r.steps(another); len(steps) != 4 || !strings.Contains(steps[0].command, "b/a state drain") {
		t.Error(steps)
	}
}

func TestReadTables(t *testing.T) {
	const head = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
	for text, want := range map[string]string{
		head + "7 master 2 [failed: 1] 0d00h00m01s 2.6\n# workers\n8 worker 0 0d 2.6\n# old workers\n5 worker 1 0d 2.6\n4 worker 2 0d\n# programs\n": "{7 2 1 true [5 4]} <nil>",
		head + "7 master 0 0d00h00m01s 2.4\n# workers\n": "{7 0 0 false []} <nil>",
		"":             `haproxy: show proc: no master in ""`,
		"x master 0\n": `show proc: "x master 0": strconv.Atoi`, "7 master x\n": "strconv.Atoi", "7 master 0 [failed: x]\n": "strconv.Atoi",
	} {
		p, err := readProcesses(text)
		if got := fmt.Sprint(p, err); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	const table = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max\nx/a.1 2/1 127.0.0.1 1 - 5000 3 9\ny/a.1 3/1 127.0.0.1 1 - 5000 2 9\ny/a.11 3/1 127.0.0.1 1 - 5000 7 9\n"
	busy := map[string]int{}
	if err := readBusy(table, busy); err != nil || !maps.Equal(busy, map[string]int{"a.1": 5, "a.11": 7}) {
		t.Error(busy, err)
	}
	for _, bad := range []string{table + "x/bad 1 2 3 4 5 z\n", "Can't find the target PID matching the prefix '@!7'\n", ""} {
		if err := readBusy(bad, busy); err == nil {
			t.Errorf("read %q", bad)
		}
	}
}

func FuzzReadTables(f *testing.F) {
	f.Add("7 master 2 [failed: 1] 0d00h00m01s 2.6\n8 worker 0 0d 2.6\nx/a 2/1 127.0.0.1 1 - 5000 3 9\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := readProcesses(text); err == nil && p.master == 0 {
			t.Errorf("%+v of %q", p, text)
		}
		busy := map[string]int{}
		if err := readBusy(text, busy); err == nil && len(busy) > strings.Count(text, "\n")+1 {
			t.Errorf("%v of %q", busy, text)
		}
	})
}

func BenchmarkSteps(b *testing.B) {
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("web.%d", i))
	}
	r, c := newRunning(configOf(false, names...), &usage{}), configOf(false, names[1:]...)
	for b.Loop() {
		if steps, _ := r.steps(c); len(steps) != 1 {
			b.Fatal(steps)
		}
	}
}
