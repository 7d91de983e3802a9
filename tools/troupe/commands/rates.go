package commands

import (
	"fmt"
	"strconv"

	"troupe/messages/json"
	"troupe/messages/mesos"
)

// ratesForm is what --rate_limits looks like.
const ratesForm = `{"limits": [{"principal": "marathon", "qps": 50, "capacity": 1000}], "aggregate_default_qps": 100}`

// Bounds of what may be asked for in a second: beyond them a span of time would
// be none, or for ever.
const (
	leastQPS = 1e-6
	mostQPS  = 1e6
)

// rateLimits reads --rate_limits; nil when it is not given.
func rateLimits(text string) (*mesos.RateLimits, error) {
	if text == "" {
		return nil, nil
	}
	limits := new(mesos.RateLimits)
	if err := json.Unmarshal([]byte(text), limits); err != nil {
		return nil, flagError("rate_limits", text, err.Error())
	}
	if err := checkQPS("aggregate_default_qps", limits.AggregateDefaultQps); err != nil {
		return nil, flagError("rate_limits", text, err.Error())
	}
	seen := map[string]bool{}
	for i, l := range limits.GetLimits() {
		if seen[l.GetPrincipal()] || l.GetPrincipal() == "" {
			return nil, flagError("rate_limits", text, fmt.Sprintf("limits[%d].principal: %q is empty, or named before", i, l.GetPrincipal()))
		}
		seen[l.GetPrincipal()] = true
		if err := checkQPS("limits["+strconv.Itoa(i)+"].qps", l.Qps); err != nil {
			return nil, flagError("rate_limits", text, err.Error())
		}
	}
	return limits, nil
}

// checkQPS says what is wrong with a rate, which may be absent.
func checkQPS(name string, qps *float64) error {
	if qps == nil || *qps >= leastQPS && *qps <= mostQPS {
		return nil
	}
	return fmt.Errorf("%s: %v is not between %v and %v", name, *qps, leastQPS, mostQPS)
}
