package match

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

func attributes(text string) []*mesos.Attribute {
	list, err := resources.ParseAttributes(text)
	if err != nil {
		panic(err)
	}
	return list
}

// host is "name attributes": "web1 rack:a;level:2".
func host(text string) Host {
	name, rest, _ := strings.Cut(text, " ")
	return Host{Hostname: name, Region: "eu", Zone: "eu-1", Attributes: attributes(rest)}
}

func hosts(texts ...string) []Host {
	var all []Host
	for _, text := range texts {
		all = append(all, host(text))
	}
	return all
}

func must(t testing.TB, list ...string) Constraints {
	t.Helper()
	var texts [][]string
	for _, c := range list {
		texts = append(texts, strings.SplitN(c, " ", 3))
	}
	rules, err := Parse(texts)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestValues(t *testing.T) {
	h := HostOf(&mesos.Offer{
		Hostname: proto.String("web1"), Attributes: attributes("rack:a;rack:b;level:2.50;tiny:0.0001;keys:[7-8,1-5,9-9];set:{b,a};hostname:fake;@zone:fake"),
		Domain: &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
			Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: proto.String("eu")},
			Zone:   &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: proto.String("eu-1")},
		}},
	})
	for field, want := range map[string]string{
		"hostname": "web1", FieldHostname: "web1", FieldRegion: "eu", FieldZone: "eu-1", "rack": "a", "level": "2.5", "tiny": "0",
		"keys": "[1-5,7-9]", "set": "{a,b}",
	} {
		if got, ok := h.Value(field); !ok || got != want {
			t.Errorf("%s: %q, %t, want %q", field, got, ok, want)
		}
	}
	for _, field := range []string{"none", "Rack", FieldRegion, FieldZone} {
		if v, ok := (Host{Hostname: "x"}).Value(field); ok || v != "" {
			t.Errorf("%s: %q", field, v)
		}
	}
}

// Every operator: whether a host is let in, and the words when it is not.
func TestCheck(t *testing.T) {
	placed := hosts("h1 rack:a;level:1.5", "h2 rack:a", "h3 rack:b", "h4")
	for _, c := range []struct{ rule, host, refused string }{
		{"hostname UNIQUE", "h5", ""},
		{"hostname UNIQUE", "H1", ""},
		{"hostname UNIQUE", "h1", `hostname is "h1", which an instance has already`},
		{"@hostname UNIQUE", "h1", `@hostname is "h1", which an instance has already`},
		{"rack UNIQUE", "h5 rack:c", ""},
		{"rack UNIQUE", "h5", `the host has no rack`},
		{"rack CLUSTER", "h5 rack:a", ""},
		{"rack CLUSTER", "h5 rack:b", `rack is "b", not "a" as with the first instance`},
		{"rack CLUSTER b", "h5 rack:b", ""},
		{"rack CLUSTER b", "h5 rack:a", `rack is "a", not "b"`},
		{"rack GROUP_BY", "h5 rack:b", ""},
		{"rack GROUP_BY", "h5 rack:c", ""},
		{"rack GROUP_BY", "h5 rack:a", `rack is "a", which 2 instances have, and only 1 have "b"`},
		{"rack GROUP_BY 3", "h5 rack:b", `rack is "b", which 1 instances have, and only 2 of 3 values are used`},
		{"rack GROUP_BY 3", "h5 rack:c", ""},
		{"rack GROUP_BY", "h5", `the host has no rack`},
		{"rack LIKE [ab]", "h5 rack:a", ""},
		{"rack LIKE a|ab", "h5 rack:ab", ""},
		{"rack LIKE [ab]", "h5 rack:ab", `rack is "ab", which does not match "[ab]"`},
		{"rack LIKE .*", "h5", `the host has no rack`},
		{"rack LIKE A", "h5 rack:a", `rack is "a", which does not match "A"`},
		{"rack LIKE (?i)A", "h5 rack:a", ""},
		{"rack LIKE x*?", "h5 rack:xxx", ""},
		{"rack UNLIKE [ab]", "h5 rack:ab", ""},
		{"rack UNLIKE [ab]", "h5", ""},
		{"rack UNLIKE [ab]", "h5 rack:a", `rack is "a", which matches "[ab]"`},
		{"rack MAX_PER 3", "h5 rack:a", ""},
		{"rack MAX_PER 2", "h5 rack:a", `rack is "a", which 2 instances have: 2 is the most`},
		{"rack MAX_PER 2", "h5", `the host has no rack`},
		{"rack IS a", "h5 rack:a", ""},
		{"rack IS a", "h5 rack:A", `rack is "A", not "a"`},
		{"level IS 1.50", "h5 level:1.5", ""},
		{"level IS 1.5001", "h5 level:1.5", ""},
		{"level IS 1.6", "h5 level:1.5", `level is "1.5", not "1.6"`},
		{"level IS x", "h5 level:1.5", `level is "1.5", not "x"`},
		{"rack IS a", "h5", `the host has no rack`},
		{"@zone IS eu-1", "h5", ""},
		{"@region CLUSTER us", "h5", `@region is "eu", not "us"`},
	} {
		rules := must(t, c.rule)
		got, want := rules.Spread(placed, nil).Check(host(c.host)), c.refused
		switch {
		case got == nil && want != "":
			t.Errorf("%s lets %s in, want %q", c.rule, c.host, want)
		case got != nil && (got.Reason != want || got.String() != c.rule+": "+want || got.Missing != strings.HasPrefix(want, "the host has no")):
			t.Errorf("%s on %s: %q, want %q", c.rule, c.host, got, want)
		}
	}
}

func TestNothingPlaced(t *testing.T) {
	for _, rule := range []string{"rack UNIQUE", "rack CLUSTER", "rack GROUP_BY", "rack GROUP_BY 3", "rack MAX_PER 1"} {
		s := must(t, rule).Spread(nil, hosts("h1 rack:a", "h2 rack:b"))
		if no := s.Check(host("h1 rack:a")); no != nil {
			t.Errorf("%s", no)
		}
	}
	if no := Constraints(nil).Spread(nil, nil).Check(Host{}); no != nil {
		t.Error(no)
	}
	s := must(t, "rack CLUSTER").Spread(hosts("h1"), nil)
	if no := s.Check(host("h2 rack:a")); no == nil || !strings.Contains(no.Reason, "the first instance has none") {
		t.Error(no)
	}
}

// Constraints hold together, and the first that does not is named.
func TestSeveral(t *testing.T) {
	s := must(t, "hostname UNIQUE", "rack MAX_PER 2").Spread(hosts("h1 rack:a", "h2 rack:a"), nil)
	for name, want := range map[string]Operator{"h1 rack:a": Unique, "h3 rack:a": MaxPer, "h2 rack:b": Unique} {
		if no := s.Check(host(name)); no == nil || no.Constraint.Operator() != want {
			t.Errorf("%s: %v, want %s", name, no, want)
		}
	}
	if no := s.Check(host("h3 rack:b")); no != nil {
		t.Error(no)
	}
}

// GROUP_BY knows the racks where nothing runs yet, but not those that another
// constraint rules out: they would stay empty, and hold up everything.
func TestGroupByKnowsTheFleet(t *testing.T) {
	fleet := hosts("h1 rack:a", "h2 rack:b", "db1 rack:c", "h4", "h5 rack:d;gpu:yes")
	fleet[4].Zone = "eu-2"
	one := hosts("h1 rack:a")
	for _, c := range []struct {
		rules   []string
		placed  []Host
		refused string
	}{
		{[]string{"rack GROUP_BY"}, one, `only 0 have "b"`},
		{[]string{"rack GROUP_BY"}, hosts("h1 rack:a", "h2 rack:b"), `only 0 have "c"`},
		{[]string{"rack GROUP_BY", "hostname UNLIKE db.*"}, hosts("h1 rack:a", "h2 rack:b"), `only 0 have "d"`},
		{[]string{"rack GROUP_BY", "hostname LIKE h.", "gpu UNLIKE .*"}, hosts("h1 rack:a", "h2 rack:b"), ""},
		{[]string{"rack GROUP_BY", "rack IS a"}, one, ""},
		{[]string{"rack GROUP_BY", "rack CLUSTER"}, one, ""},
		{[]string{"rack GROUP_BY", "@zone CLUSTER", "hostname LIKE h."}, hosts("h1 rack:a", "h2 rack:b"), ""},
		{[]string{"rack GROUP_BY 1"}, one, ""},
	} {
		no := must(t, c.rules...).Spread(c.placed, fleet).Check(host("h9 rack:a"))
		if (no == nil) != (c.refused == "") || no != nil && !strings.Contains(no.Reason, c.refused) {
			t.Errorf("%v: %v, want %q", c.rules, no, c.refused)
		}
	}
	s := must(t, "rack GROUP_BY", "rack CLUSTER").Spread(nil, fleet)
	for range 3 {
		if no := s.Check(fleet[0]); no != nil {
			t.Fatal(no)
		}
		s.Place(fleet[0])
	}
}

func TestVictims(t *testing.T) {
	placed := hosts("h0 rack:a;row:1", "h1 rack:b;row:1", "h2 rack:a;row:2", "h3 rack:c;row:1", "h4 rack:a;row:1", "h5")
	for _, c := range []struct {
		rules []string
		n     int
		want  string
	}{
		{nil, 3, "[0 1 2]"},
		{[]string{"hostname UNIQUE"}, 2, "[0 1]"},
		{[]string{"rack GROUP_BY"}, 3, "[0 2 1]"},
		{[]string{"rack GROUP_BY"}, 9, "[0 2 1 3 4 5]"},
		{[]string{"rack GROUP_BY", "row GROUP_BY"}, 2, "[0 4]"},
		{[]string{"rack GROUP_BY"}, 0, "[]"},
		{[]string{"rack GROUP_BY"}, -1, "[]"},
	} {
		if got := fmt.Sprint(must(t, c.rules...).Victims(placed, c.n)); got != c.want {
			t.Errorf("%v, %d of them: %s, want %s", c.rules, c.n, got, c.want)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	rules := must(b, "hostname UNIQUE", "rack GROUP_BY", "hostname LIKE h[0-9]+")
	var fleet []Host
	for i := range 10_000 {
		fleet = append(fleet, host(fmt.Sprintf("h%d rack:r%d", i, i%50)))
	}
	s := rules.Spread(fleet[:5_000], fleet)
	h := fleet[9_000]
	b.ReportAllocs()
	for b.Loop() {
		if no := s.Check(h); no != nil {
			b.Fatal(no)
		}
	}
}
