package commands

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/isolation"
)

func TestClassesAndSamples(t *testing.T) {
	g := groupFlags{
		events: "task-clock, cycles,", sampleInterval: flags.Duration(time.Minute), sampleLength: flags.Duration(time.Second),
		primary: "0x0010", secondary: "0x0001,0x1000",
	}
	var s isolation.Settings
	if err := g.setPerf(&s); err != nil {
		t.Fatal(err)
	}
	if err := g.setClasses(&s); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Cgroups.Perf, s.Cgroups.Classes); got != "{[task-clock cycles] 1m0s 1s} {16 1 4096}" {
		t.Error(got)
	}
	for want, g := range map[string]groupFlags{
		"is no number":          {primary: "many"},
		"from 0x0001 to 0xffff": {primary: "0x10000"},
		"needs --cgroups":       {secondary: "1,2"},
		"is no first and last":  {primary: "1", secondary: "5,2"},
		"like 0x0001,0x1000":    {primary: "1", secondary: "5"},
		`handles="0,5"`:         {primary: "1", secondary: "0,5"},
	} {
		if err := g.setClasses(&s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
