package remote

import (
	"fmt"
	"strings"
	"testing"
)

func TestBothDirectionsOverOneConnection(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.say("x", b.at("y"), "ping")
	b.waitFor(t, "deliver x>y ping", 1)
	b.say("y", a.at("x"), "pong")
	a.waitFor(t, "deliver y>x pong", 1)
	if n := a.Totals().Connections + b.Totals().Connections; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if i := a.Peers(); len(i) != 1 || !i[0].Linked || !i[0].Dialed || i[0].Incarnation != b.cfg.Incarnation {
		t.Errorf("peers of a: %+v", i)
	}
}

func TestSystemThatDoesNotListen(t *testing.T) {
	a := start(t, Config{})
	b := start(t, Config{Address: "nowhere:0"})
	c := start(t, Config{Address: "nowhere:0"})
	b.say("x", anyone(a.at("y")), "b")
	c.say("x", anyone(a.at("y")), "c")
	a.waitFor(t, "deliver x>y", 2)
	a.say("y", b.at("x"), "for b")
	a.say("y", c.at("x"), "for c")
	b.waitFor(t, "deliver y>x for b", 1)
	c.waitFor(t, "deliver y>x for c", 1)
	b.close()
	eventually(t, "b is gone", func() bool { return a.Totals().Linked == 1 })
	a.say("y", b.at("x"), "too late")
	a.waitFor(t, "dead y>x unreachable", 1)
}

func TestOrderHoldsWithLongMessages(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	long := strings.Repeat("l", 3<<20)
	var want []string
	for i := range 20 {
		a.say("x", b.at("y"), fmt.Sprintf("%d before", i))
		a.say("x", b.at("y"), fmt.Sprintf("%d %s", i, long))
		a.say("x", b.at("y"), fmt.Sprintf("%d after", i))
		a.say("other", b.at("y"), "passes")
		want = append(want, fmt.Sprintf("deliver x>y %d before", i), fmt.Sprintf("deliver x>y %d %s", i, long)[:12+40], fmt.Sprintf("deliver x>y %d after", i))
	}
	b.waitFor(t, "deliver x>y", len(want))
	b.waitFor(t, "deliver other>y", 20)
	var got []string
	for _, l := range b.told() {
		if strings.HasPrefix(l, "deliver x>y") {
			got = append(got, l)
		}
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("message %d is %q, want %q", i, got[i], want[i])
		}
	}
	eventually(t, "all is acknowledged", func() bool { return a.Peers()[0].QueuedBytes == 0 })
}

func TestCloseFlushes(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	b.link("y", a.at("x"))
	a.waitFor(t, "watch y>x", 1)
	const n = 20000
	for i := range n {
		a.say("x", b.at("y"), fmt.Sprint(i))
	}
	a.close()
	b.waitFor(t, "exited y>x", 1)
	lines := b.told()
	if last := lines[len(lines)-1]; last != "exited y>x closed" {
		t.Errorf("last is %q", last)
	}
	if got := b.count("deliver"); got != n {
		t.Errorf("%d delivered, want %d", got, n)
	}
	if dead := a.count("dead"); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
}
