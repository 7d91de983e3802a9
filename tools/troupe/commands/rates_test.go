package commands

import (
	"strings"
	"testing"
)

func TestRateLimits(t *testing.T) {
	if limits, err := rateLimits(ratesForm); err != nil || limits.GetLimits()[0].GetCapacity() != 1000 || limits.GetAggregateDefaultQps() != 100 {
		t.Errorf("%v, %v", limits, err)
	}
	if limits, err := rateLimits(""); limits != nil || err != nil {
		t.Errorf("%v, %v", limits, err)
	}
	for text, want := range map[string]string{
		`{`:                               `--rate_limits="{"`,
		`{"limits": [{"qps": 1}]}`:        `principal`,
		`{"limits": [{"principal": ""}]}`: `limits[0].principal: "" is empty`,
		`{"limits": [{"principal": "a"}, {"principal": "a"}]}`: `limits[1].principal: "a" is empty, or named before`,
		`{"limits": [{"principal": "a", "qps": 0}]}`:           `limits[0].qps: 0 is not between`,
		`{"limits": [{"principal": "a", "qps": -1}]}`:          `limits[0].qps: -1 is not between`,
		`{"limits": [{"principal": "a", "qps": 1e300}]}`:       `limits[0].qps: 1e+300 is not between`,
		`{"aggregate_default_qps": 0}`:                         `aggregate_default_qps: 0 is not between`,
		`{"limits": [{"principal": "a", "capacity": -1}]}`:     `capacity`,
	} {
		if _, err := rateLimits(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRateLimits(f *testing.F) {
	for _, text := range []string{ratesForm, "{}", `{"limits": [{"principal": "a", "qps": "NaN"}]}`, "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limits, err := rateLimits(text)
		if err != nil {
			return
		}
		for _, l := range limits.GetLimits() {
			if l.GetPrincipal() == "" || l.Qps != nil && !(l.GetQps() > 0) {
				t.Errorf("%q is taken: %v", text, limits)
			}
		}
	})
}
