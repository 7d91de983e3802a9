package commands

import (
	"strings"
	"testing"
	"time"

	"troupe/master/state"
)

func TestRemovalFlags(t *testing.T) {
	for _, c := range []struct {
		rate, share string
		want        state.Config
		wrong       string
	}{
		{"", "100%", state.Config{RecoveryAgentRemovalLimit: 1}, ""},
		{"1/10mins", "50%", state.Config{AgentRemovalRate: state.Rate{Count: 1, Per: 10 * time.Minute}, RecoveryAgentRemovalLimit: 0.5}, ""},
		{"20/3hrs", "0.5%", state.Config{AgentRemovalRate: state.Rate{Count: 20, Per: 3 * time.Hour}, RecoveryAgentRemovalLimit: 0.005}, ""},
		{"10mins", "100%", state.Config{}, `--agent_removal_rate_limit="10mins"`},
		{"0/10mins", "100%", state.Config{}, `--agent_removal_rate_limit="0/10mins"`},
		{"-1/10mins", "100%", state.Config{}, `--agent_removal_rate_limit="-1/10mins"`},
		{"1/0secs", "100%", state.Config{}, `--agent_removal_rate_limit="1/0secs"`},
		{"1/soon", "100%", state.Config{}, `--agent_removal_rate_limit="1/soon"`},
		{"", "1", state.Config{}, `--recovery_agent_removal_limit="1"`},
		{"", "0%", state.Config{}, `--recovery_agent_removal_limit="0%"`},
		{"", "101%", state.Config{}, `--recovery_agent_removal_limit="101%"`},
		{"", "NaN%", state.Config{}, `--recovery_agent_removal_limit="NaN%"`},
	} {
		var got state.Config
		err := (&removalFlags{c.rate, c.share}).put(&got)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q and %q: got %v, want an error with %s", c.rate, c.share, err, c.wrong)
			}
			continue
		}
		if err != nil || got.AgentRemovalRate != c.want.AgentRemovalRate || got.RecoveryAgentRemovalLimit != c.want.RecoveryAgentRemovalLimit {
			t.Errorf("%q and %q: got %v and %v, %v", c.rate, c.share, got.AgentRemovalRate, got.RecoveryAgentRemovalLimit, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"", "1/10mins", "2/3hrs", "/", "1/", "/1secs", "9999999999999999999/1ns"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseRate(s); err == nil && s != "" && (r.Count < 1 || r.Per <= 0) {
			t.Errorf("%q gave %v", s, r)
		}
	})
}
