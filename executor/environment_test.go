package executor

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func with(env map[string]string, kv ...string) map[string]string {
	out := map[string]string{}
	for k, v := range env {
		out[k] = v
	}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i]] = kv[i+1]
	}
	return out
}

var given = map[string]string{
	"MESOS_FRAMEWORK_ID": "F1", "MESOS_EXECUTOR_ID": "E1", "MESOS_AGENT_ENDPOINT": "127.0.0.1:5051",
	"MESOS_SLAVE_PID": "agent@127.0.0.1:5051", "MESOS_SANDBOX": "/s", "MESOS_DIRECTORY": "/d",
	"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "10secs", "MESOS_CHECKPOINT": "1",
	"MESOS_RECOVERY_TIMEOUT": "1.5mins", "MESOS_SUBSCRIPTION_BACKOFF_MAX": "500ms",
}

func TestFromEnvironment(t *testing.T) {
	c, err := FromEnvironment(lookupIn(given))
	if err != nil {
		t.Fatal(err)
	}
	if c.FrameworkID != "F1" || c.ExecutorID != "E1" || c.Agent.String() != "agent@127.0.0.1:5051" || c.Sandbox != "/s" ||
		c.ShutdownGracePeriod != 10*time.Second || c.RecoveryTimeout != 90*time.Second ||
		c.SubscriptionBackoffMax != 500*time.Millisecond {
		t.Errorf("%+v", c)
	}
	c, err = FromEnvironment(lookupIn(map[string]string{
		"MESOS_FRAMEWORK_ID": "F1", "MESOS_EXECUTOR_ID": "E1", "MESOS_SLAVE_PID": "agent@127.0.0.1:5051", "MESOS_DIRECTORY": "/d",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Agent.String() != "agent@127.0.0.1:5051" || c.Sandbox != "/d" || c.RecoveryTimeout != 0 ||
		c.ShutdownGracePeriod != DefaultShutdownGracePeriod || c.SubscriptionBackoffMax != DefaultSubscriptionBackoffMax {
		t.Errorf("%+v", c)
	}
}

func TestFromEnvironmentNamesTheVariable(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"MESOS_FRAMEWORK_ID: must be set":                  with(given, "MESOS_FRAMEWORK_ID", ""),
		"MESOS_EXECUTOR_ID: must be set":                   with(given, "MESOS_EXECUTOR_ID", ""),
		`MESOS_AGENT_ENDPOINT: "nowhere"`:                  with(given, "MESOS_AGENT_ENDPOINT", "nowhere"),
		`MESOS_SLAVE_PID: "nowhere"`:                       with(given, "MESOS_AGENT_ENDPOINT", "", "MESOS_SLAVE_PID", "nowhere"),
		"MESOS_AGENT_ENDPOINT: must be set, or MESOS_SLAV": with(given, "MESOS_AGENT_ENDPOINT", "", "MESOS_SLAVE_PID", ""),
		`MESOS_RECOVERY_TIMEOUT: "soon": duration`:         with(given, "MESOS_RECOVERY_TIMEOUT", "soon"),
		`MESOS_RECOVERY_TIMEOUT: "-1secs": duration`:       with(given, "MESOS_RECOVERY_TIMEOUT", "-1secs"),
	} {
		if _, err := FromEnvironment(lookupIn(env)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"15mins", "5secs", "1.5hrs", "2days", "1weeks", "3ms", "4us", "5ns", "1h2m", "", "secs", "1e400secs"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := parseDuration(s); err == nil && d < 0 {
			t.Errorf("parseDuration(%q) = %s", s, d)
		}
	})
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"2days": 48 * time.Hour, "1weeks": 168 * time.Hour, "1.5hrs": 90 * time.Minute, "3ms": 3e6, "7us": 7e3, "9ns": 9, "1m30s": 90e9,
	} {
		if d, err := parseDuration(s); err != nil || d != want {
			t.Errorf("parseDuration(%q) = %s, %v", s, d, err)
		}
	}
}

func TestShutdownGrace(t *testing.T) {
	env := func(value string) *mesos.Environment {
		return &mesos.Environment{Variables: []*mesos.Environment_Variable{
			{Name: proto.String("OTHER"), Value: proto.String("1secs")},
			{Name: proto.String("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"), Value: &value},
		}}
	}
	for value, want := range map[string]time.Duration{
		"1.5mins": 90 * time.Second, "0ns": 0, "soon": DefaultShutdownGracePeriod, "-1secs": DefaultShutdownGracePeriod,
	} {
		if got := ShutdownGrace(env(value)); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
	if got := ShutdownGrace(nil); got != DefaultShutdownGracePeriod {
		t.Errorf("none: %s", got)
	}
}
