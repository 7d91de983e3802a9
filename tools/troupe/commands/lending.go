package commands

import (
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"troupe/messages/resources"
	"troupe/slave"
	"troupe/slave/state/slack"
	"troupe/tools/troupe/flags"
)

// lendingFlags say what an agent does with what is allocated, but not used.
type lendingFlags struct {
	estimator, controller    string
	fixed                    string
	interval, correction     flags.Duration
	fiveMinutes, fifteenMins float64
}

const (
	lendNothing = "noop"
	lendFixed   = "fixed"
	lendUsage   = "usage"
	correctLoad = "load"
)

func (l *lendingFlags) add(set *pflag.FlagSet) {
	set.StringVar(&l.estimator, "resource_estimator", lendNothing, "how much of what is allocated, but not used, is lent as revocable resources: noop is nothing, fixed is --oversubscribed_resources, usage is what containers left of their CPUs in the last four intervals, but for a fifth")
	set.StringVar(&l.fixed, "oversubscribed_resources", "", `what --resource_estimator=fixed lends, as "cpus:2"`)
	duration(set, &l.interval, "oversubscribed_resources_interval", 15*time.Second, "between two estimates")
	set.StringVar(&l.controller, "qos_controller", lendNothing, "which executors end that were lent something: noop is none, load is all of them while the machine's load is above a threshold")
	set.Float64Var(&l.fiveMinutes, "load_threshold_5min", 0, "of --qos_controller=load: the load of 5 minutes above which it acts; 0 is none")
	set.Float64Var(&l.fifteenMins, "load_threshold_15min", 0, "of --qos_controller=load: the load of 15 minutes above which it acts; 0 is none")
	duration(set, &l.correction, "qos_correction_interval_min", 0, "least time between two corrections; 1secs at least")
}

// lending checks the flags and turns them into a value, without its meter.
func (l *lendingFlags) lending() (slave.Lending, error) {
	lending := slave.Lending{Interval: time.Duration(l.interval), CorrectionInterval: time.Duration(l.correction)}
	if err := positive(namedDuration{"oversubscribed_resources_interval", l.interval}); err != nil {
		return lending, err
	}
	if l.correction < 0 {
		return lending, flagError("qos_correction_interval_min", l.correction.String(), "is below 0")
	}
	var err error
	if lending.Estimator, err = l.resourceEstimator(); err != nil {
		return lending, err
	}
	lending.Controller, err = l.qosController()
	return lending, err
}

func (l *lendingFlags) resourceEstimator() (slack.Estimator, error) {
	if l.fixed != "" && l.estimator != lendFixed {
		return nil, flagError("oversubscribed_resources", l.fixed, "is only for --resource_estimator=fixed")
	}
	switch l.estimator {
	case lendNothing:
		return nil, nil
	case lendUsage:
		return slack.NewUsage(), nil
	case lendFixed:
	default:
		return nil, flagError("resource_estimator", l.estimator, "is none of noop, fixed and usage")
	}
	fixed, err := resources.Parse(l.fixed, "*")
	if err != nil {
		return nil, flagError("oversubscribed_resources", l.fixed, err.Error())
	}
	for e := range fixed.All() {
		if !e.Plain() {
			return nil, flagError("oversubscribed_resources", l.fixed, "has "+e.String()+", which cannot be lent")
		}
	}
	return slack.NewFixed(fixed), nil
}

func (l *lendingFlags) qosController() (slack.Controller, error) {
	for _, t := range []struct {
		name  string
		value float64
	}{{"load_threshold_5min", l.fiveMinutes}, {"load_threshold_15min", l.fifteenMins}} {
		switch given := strconv.FormatFloat(t.value, 'g', -1, 64); {
		case !(t.value >= 0):
			return nil, flagError(t.name, given, "is not 0 or more")
		case t.value > 0 && l.controller != correctLoad:
			return nil, flagError(t.name, given, "is only for --qos_controller=load")
		}
	}
	switch l.controller {
	case lendNothing:
		return nil, nil
	case correctLoad:
		if l.fiveMinutes == 0 && l.fifteenMins == 0 {
			return nil, flagError("qos_controller", l.controller, "needs --load_threshold_5min or --load_threshold_15min")
		}
		return slack.Load{FiveMinutes: l.fiveMinutes, FifteenMinutes: l.fifteenMins}, nil
	}
	return nil, flagError("qos_controller", l.controller, "is neither noop nor load")
}
