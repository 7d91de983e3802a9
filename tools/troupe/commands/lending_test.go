package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"troupe/slave/state/slack"
)

func TestLendingFlags(t *testing.T) {
	for text, want := range map[string]string{ // the error; "" is none
		"": "",
		"--resource_estimator=usage --oversubscribed_resources_interval=1secs":              "",
		"--resource_estimator=fixed --oversubscribed_resources=cpus:2;mem:64":               "",
		"--qos_controller=load --load_threshold_5min=4 --qos_correction_interval_min=5mins": "",
		"--resource_estimator=guess":                                      `--resource_estimator="guess" is none of noop, fixed and usage`,
		"--oversubscribed_resources=cpus:2":                               `--oversubscribed_resources="cpus:2" is only for --resource_estimator=fixed`,
		"--resource_estimator=fixed --oversubscribed_resources=cpus(a):2": `--oversubscribed_resources="cpus(a):2" has `,
		"--resource_estimator=fixed --oversubscribed_resources=cpus":      `--oversubscribed_resources="cpus" `,
		"--oversubscribed_resources_interval=0secs":                       `--oversubscribed_resources_interval="0ns" is not above 0`,
		"--qos_correction_interval_min=-1secs":                            `--qos_correction_interval_min="-1secs" is below 0`,
		"--qos_controller=load":                                           `--qos_controller="load" needs --load_threshold_5min or --load_threshold_15min`,
		"--qos_controller=strict":                                         `--qos_controller="strict" is neither noop nor load`,
		"--load_threshold_15min=2":                                        `--load_threshold_15min="2" is only for --qos_controller=load`,
		"--qos_controller=load --load_threshold_5min=-2":                  `--load_threshold_5min="-2" is not 0 or more`,
		"--qos_controller=load --load_threshold_5min=NaN":                 `--load_threshold_5min="NaN" is not 0 or more`,
	} {
		l, set := new(lendingFlags), pflag.NewFlagSet("", pflag.ContinueOnError)
		l.add(set)
		if err := set.Parse(strings.Fields(text)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		_, err := l.lending()
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: error is %v, want %q", text, err, want)
		}
	}
}

func TestLendingFixed(t *testing.T) {
	l, set := new(lendingFlags), pflag.NewFlagSet("", pflag.ContinueOnError)
	l.add(set)
	if err := set.Parse([]string{"--resource_estimator=fixed", "--oversubscribed_resources=cpus:2"}); err != nil {
		t.Fatal(err)
	}
	lending, err := l.lending()
	if err != nil || lending.Controller != nil || lending.Interval != 15*time.Second {
		t.Fatalf("%+v, %v", lending, err)
	}
	lent := lending.Estimator.Estimate(slack.Sample{})
	for e := range lent.All() {
		if !e.Revocable() || e.Amount() != 2000 {
			t.Errorf("%v is lent", e)
		}
	}
	if lent.Len() != 1 {
		t.Errorf("%v is lent", lent)
	}
}
