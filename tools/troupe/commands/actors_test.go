package commands

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"troupe/actors/inspect"
	"troupe/tools/troupe/show"
)

func TestChildrenFollowTheirParents(t *testing.T) {
	rows := tree([]inspect.Actor{
		{Name: "allocator"},
		{Name: "master"},
		{Name: "observer/S0", Parent: "master"},
		{Name: "orphan", Parent: "gone"},
		{Name: "deep", Parent: "observer/S0"},
		{Name: "registrar"},
	})
	var got []string
	for _, r := range rows {
		got = append(got, strings.Repeat(">", r.depth)+r.actor.Name)
	}
	if text := strings.Join(got, " "); text != "allocator master >observer/S0 >>deep orphan registrar" {
		t.Error(text)
	}
}

func TestRatesNeedTwoLooksAtOneStart(t *testing.T) {
	at := time.Unix(1000, 0)
	before := &inspect.Report{Incarnation: "i", Time: at, Actors: []inspect.Actor{{Name: "a", Handled: 10}, {Name: "restarted", Handled: 50}}}
	now := &inspect.Report{
		Incarnation: "i", Time: at.Add(2 * time.Second),
		Actors: []inspect.Actor{{Name: "a", Handled: 25}, {Name: "new", Handled: 5}, {Name: "restarted", Handled: 1}},
	}
	if rates := handledRates(before, now); len(rates) != 1 || rates["a"] != 7.5 {
		t.Errorf("%v", rates)
	}
	if rates := handledRates(nil, now); len(rates) != 0 {
		t.Errorf("without an earlier look: %v", rates)
	}
	now.Incarnation = "j"
	if rates := handledRates(before, now); len(rates) != 0 {
		t.Errorf("of another start: %v", rates)
	}
}

func TestWhatWasLostIsShown(t *testing.T) {
	var out bytes.Buffer
	err := writeActors(&out, show.Style{}, nil, &inspect.Report{
		Address:     "h:1",
		Actors:      []inspect.Actor{{Name: "a", Panic: &inspect.Panic{Text: "divided by zero"}}},
		Peers:       []inspect.Peer{{Address: "p:2", Principal: "somebody"}},
		DeadLetters: []inspect.Lost{{Type: "x.Letter", Count: 3, Reason: "stopped", To: "b@h:1"}},
		Unhandled:   []inspect.Lost{{Type: "x.Riddle", Count: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"h:1, 1 actors", "divided by zero", "p:2", "down", "somebody",
		"dead letter: 3 × x.Letter, last from - to b@h:1: stopped", "unhandled: 1 × x.Riddle",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
