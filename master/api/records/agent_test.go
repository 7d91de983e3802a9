package records_test

import (
	"testing"

	"troupe/master/api/records"
)

func TestPIDs(t *testing.T) {
	for peer, want := range map[string]string{
		"scheduler@h:5050#1": "scheduler@h:5050",
		"gateway/3@h:5050#1": "", // speaks HTTP
		"":                   "",
	} {
		if got := records.SchedulerPID(peer); got != want {
			t.Errorf("%q has the pid %q, want %q", peer, got, want)
		}
	}
}
