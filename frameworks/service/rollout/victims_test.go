package rollout

import (
	"slices"
	"testing"

	"troupe/frameworks/match"
)

func TestVictims(t *testing.T) {
	rack, err := match.Parse([][]string{{"@zone", "GROUP_BY"}})
	if err != nil {
		t.Fatal(err)
	}
	from := []Candidate{
		{Ready, 1, match.Host{Zone: "a"}},
		{Ready, 2, match.Host{Zone: "b"}},
		{Failing, 3, match.Host{Zone: "b"}},
		{Ready, 4, match.Host{Zone: "a"}},
		{Ready, 5, match.Host{Zone: "c"}},
		{Cut, 6, match.Host{Zone: "c"}},
		{Unsure, 7, match.Host{Zone: "a"}},
	}
	tests := []struct {
		name   string
		rules  match.Constraints
		oldest bool
		n      int
		want   []int
	}{
		{"none", nil, false, 0, []int{}},
		{"the worst one", nil, false, 1, []int{5}},
		{"the worst first, then the youngest", nil, false, 5, []int{5, 2, 6, 4, 3}},
		{"then the oldest", nil, true, 5, []int{5, 2, 6, 0, 1}},
		{"who is beside most others", rack, false, 4, []int{5, 2, 6, 3}},
		{"then those who are even", rack, false, 5, []int{5, 2, 6, 3, 4}},
		{"all there are", rack, true, 99, []int{5, 2, 6, 0, 1, 3, 4}},
		{"fewer than none", nil, true, -1, []int{}},
	}
	for _, tt := range tests {
		if got := Victims(tt.rules, tt.oldest, from, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func BenchmarkVictims(b *testing.B) {
	from := make([]Candidate, 1000)
	for i := range from {
		from[i] = Candidate{Class: Ready, Age: i}
	}
	for b.Loop() {
		Victims(nil, false, from, 1)
	}
}
