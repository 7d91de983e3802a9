package rollout

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
)

func upgraded(n int, least, over float64) *app.App {
	return &app.App{ID: "/a", Instances: n, Upgrade: app.Upgrade{MinimumHealth: least, MaximumOver: over}}
}

// TestPeaks: how far a rollout of a healthy app goes from what it has, in both
// directions.
func TestPeaks(t *testing.T) {
	tests := []struct {
		n             int
		least, over   float64
		most, fewest  int // there, and ready
		firstEnd, add int // of the first moment
	}{
		{10, 1, 1, 20, 10, 0, 10},
		{10, 0.5, 0, 10, 5, 5, 0},
		{10, 1, 0, 11, 10, 0, 1},
		{10, 0, 0, 10, 0, 10, 0},
		{10, 0.5, 0.5, 15, 5, 5, 5},
		{10, 0.95, 0.05, 11, 10, 0, 1},
		{1, 1, 0, 2, 1, 0, 1},
		{1, 0, 0, 1, 0, 1, 0},
		{3, 0.5, 0.2, 3, 2, 1, 0},
	}
	for _, tt := range tests {
		l := LimitsOf(upgraded(tt.n, tt.least, tt.over))
		tally := Tally{Old: Count{Ready: tt.n}}
		w := l.Next(tally)
		if w.EndOld != tt.firstEnd || w.Start != tt.add {
			t.Errorf("%d at %v/%v begins with %+v, want %d ended and %d started", tt.n, tt.least, tt.over, w, tt.firstEnd, tt.add)
		}
		most, fewest := 0, tt.n
		for range 1000 {
			w := l.Next(tally)
			if w.Done {
				break
			}
			tally.Old[Ready] -= w.EndOld
			tally.Ending += w.EndOld
			tally.New[Failing] += w.Start
			most, fewest = max(most, tally.There()), min(fewest, tally.Old[Ready]+tally.New[Ready])
			if tally.New[Failing] > 0 {
				tally.New[Failing]--
				tally.New[Ready]++
			}
			tally.Ending = max(tally.Ending-1, 0)
		}
		if !l.Next(tally).Done || most != tt.most || fewest != tt.fewest {
			t.Errorf("%d at %v/%v: up to %d there, at least %d ready, ends with %+v; want %d and %d", tt.n, tt.least, tt.over, most, fewest, tally, tt.most, tt.fewest)
		}
	}
}

// fate moves one random instance on.
func fate(t *rapid.T, tally *Tally, well bool) {
	group := &tally.New
	if rapid.Bool().Draw(t, "old") {
		group = &tally.Old
	}
	from := Class(rapid.IntRange(0, int(classes)-1).Draw(t, "from"))
	to := Class(rapid.IntRange(0, int(classes)-1).Draw(t, "to"))
	switch {
	case tally.Ending > 0 && rapid.Bool().Draw(t, "ended"):
		tally.Ending--
	case group[from] == 0 || well && to < from:
	case !well && rapid.IntRange(0, 5).Draw(t, "died") == 0:
		group[from]--
	default:
		group[from]--
		group[to]++
	}
}

// TestRolloutKeepsItsLimits: whatever becomes of instances, what the rollout ends
// does not leave fewer ready than the least, and what it starts not more than the
// most. When they become well it ends, with just the instances that there are to
// be, in no more moves than there are instances.
func TestRolloutKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(rt, "n")
		least, over := rapid.Float64Range(0, 1).Draw(rt, "least"), rapid.Float64Range(0, 1).Draw(rt, "over")
		a := upgraded(n, least, over)
		if rapid.Bool().Draw(rt, "resident") {
			a.Upgrade.MaximumOver = 0
			a.Container = &app.Container{Volumes: []app.Volume{{Persistent: &app.Persistent{}}}}
		}
		full := LimitsOf(a)
		l := full
		if rapid.Bool().Draw(rt, "held") {
			l = full.Held(rapid.IntRange(0, 12).Draw(rt, "canaries"))
		}
		tally := Tally{Old: Count{
			Cut: rapid.IntRange(0, 3).Draw(rt, "cut"), Failing: rapid.IntRange(0, 5).Draw(rt, "failing"),
			Unsure: rapid.IntRange(0, 5).Draw(rt, "unsure"), Ready: rapid.IntRange(0, 15).Draw(rt, "ready"),
		}}
		for range rapid.IntRange(0, 40).Draw(rt, "moves") {
			perform(rt, full, l, a, &tally)
			fate(rt, &tally, false)
		}
		settle(rt, full, full, a, &tally)
		if want := (Tally{New: Count{Ready: n}}); tally != want || !full.Next(tally).Done {
			rt.Fatalf("ends with %+v, want %+v", tally, want)
		}
	})
}

// perform does what the rollout wants, and checks that it may.
func perform(t *rapid.T, full, l Limits, a *app.App, tally *Tally) {
	w := l.Next(*tally)
	before := *tally
	for range w.EndOld {
		end(&tally.Old, tally)
	}
	for range w.EndNew {
		end(&tally.New, tally)
	}
	tally.New[Failing] += w.Start
	tally.Old[Failing] += w.StartOld
	least, most := bounds(a)
	was, is := before.Old[Ready]+before.New[Ready], tally.Old[Ready]+tally.New[Ready]
	if is < was && is < least {
		t.Fatalf("%+v of %+v leaves %d ready of %d, %d must be", w, before, is, was, least)
	}
	if tally.There() > before.There() && tally.There() > most {
		t.Fatalf("%+v of %+v makes it %d, %d may be there", w, before, tally.There(), most)
	}
	if tally.New.Total() > before.New.Total() && tally.New.Total() > l.Canaries {
		t.Fatalf("%+v of %+v makes it %d new ones, held at %d", w, before, tally.New.Total(), l.Canaries)
	}
	if w.Done && *tally != before {
		t.Fatalf("%+v of %+v is done and wants more", w, before)
	}
	if full.Instances != a.Instances {
		t.Fatalf("limits are of %d, the app has %d", full.Instances, a.Instances)
	}
}

// bounds are what the reference says of an app, in other words.
func bounds(a *app.App) (least, most int) {
	n := float64(a.Instances)
	least, most = int(math.Ceil(n*a.Upgrade.MinimumHealth)), a.Instances+int(math.Floor(n*a.Upgrade.MaximumOver))
	if least == most && a.Resident() {
		return max(least-1, 0), most
	}
	if least == most {
		return least, most + 1
	}
	return least, most
}

// end ends the worst of a group.
func end(g *Count, t *Tally) {
	for c := range g {
		if g[c] > 0 {
			g[c]--
			t.Ending++
			return
		}
	}
}

// settle has all instances become well and all that are ending end.
func settle(t *rapid.T, full, l Limits, a *app.App, tally *Tally) {
	for range 100 {
		perform(t, full, l, a, tally)
		for _, g := range []*Count{&tally.Old, &tally.New} {
			*g = Count{Ready: g.Total()}
		}
		tally.Ending = 0
	}
}

// TestFailoverEndsNothing: when nobody knows yet who is well, nobody is ended.
func TestFailoverEndsNothing(t *testing.T) {
	l := LimitsOf(upgraded(10, 0.5, 0))
	if w := l.Next(Tally{Old: Count{Unsure: 7}, New: Count{Unsure: 3}}); w != (Want{}) {
		t.Errorf("wants %+v", w)
	}
	if w := l.Next(Tally{Old: Count{Unsure: 6, Failing: 1}, New: Count{Unsure: 3}}); w != (Want{EndOld: 1}) {
		t.Errorf("wants %+v, only the one that fails is to be ended", w)
	}
}

// TestHold: canaries come, as many old ones go, and then nothing happens; what
// ends meanwhile is replaced by its like.
func TestHold(t *testing.T) {
	l := LimitsOf(upgraded(10, 1, 0)).Held(2)
	for _, tt := range []struct {
		tally Tally
		want  Want
	}{
		{Tally{Old: Count{Ready: 10}}, Want{Start: 1}},
		{Tally{Old: Count{Ready: 10}, New: Count{Ready: 1}}, Want{EndOld: 1}},
		{Tally{Old: Count{Ready: 9}, New: Count{Ready: 1}}, Want{Start: 1}},
		{Tally{Old: Count{Ready: 8}, New: Count{Ready: 2}}, Want{}},
		{Tally{Old: Count{Ready: 7}, New: Count{Ready: 2}}, Want{StartOld: 1}},
		{Tally{Old: Count{Ready: 7, Failing: 1}, New: Count{Ready: 2}}, Want{}},
		{Tally{Old: Count{Ready: 8}, New: Count{Ready: 1}}, Want{Start: 1}},
	} {
		if got := l.Next(tt.tally); got != tt.want {
			t.Errorf("of %+v wants %+v, want %+v", tt.tally, got, tt.want)
		}
	}
}
