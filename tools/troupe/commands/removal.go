package commands

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"troupe/master/state"
	"troupe/tools/troupe/flags"
)

// removalFlags hold back a master that loses its agents.
type removalFlags struct {
	rate, share string
}

func (r *removalFlags) add(set *pflag.FlagSet) {
	set.StringVar(&r.rate, "agent_removal_rate_limit", "", "how fast agents that are lost become unreachable, like 1/10mins or 2/3hrs; at once by default")
	set.StringVar(&r.share, "recovery_agent_removal_limit", "100%", "the share of the known agents that may stay away after a change of leaders; when more do, the master ends")
}

// put checks the flags and puts them into a master's configuration.
func (r *removalFlags) put(c *state.Config) (err error) {
	if c.AgentRemovalRate, err = parseRate(r.rate); err != nil {
		return flagError("agent_removal_rate_limit", r.rate, err.Error())
	}
	if c.RecoveryAgentRemovalLimit, err = parseShare(r.share); err != nil {
		return flagError("recovery_agent_removal_limit", r.share, err.Error())
	}
	return nil
}

// parseRate reads how many in which time; nothing is no limit.
func parseRate(text string) (state.Rate, error) {
	if text == "" {
		return state.Rate{}, nil
	}
	number, span, found := strings.Cut(text, "/")
	count, err := strconv.Atoi(number)
	if !found || err != nil || count < 1 {
		return state.Rate{}, errors.New("is not a number of agents, a slash, and a duration, like 1/10mins")
	}
	per, err := flags.ParseDuration(span)
	if err != nil {
		return state.Rate{}, err
	}
	if per <= 0 {
		return state.Rate{}, errors.New("must be per a duration above 0")
	}
	return state.Rate{Count: count, Per: per}, nil
}

// parseShare reads a percentage above 0, up to 100.
func parseShare(text string) (float64, error) {
	number, found := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !found || err != nil || math.IsNaN(percent) || percent <= 0 || percent > 100 {
		return 0, errors.New("is not a percentage above 0% and up to 100%")
	}
	return percent / 100, nil
}
