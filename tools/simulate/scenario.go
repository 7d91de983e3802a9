package simulate

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// readScenario takes settings and faults from a file, one a line:
//
//	# a comment
//	seed 7               also masters, agents, frameworks, tasks
//	duration 5m          also fault-every ("none" for no random faults), reregister-timeout
//	resources cpus:4;mem:2048
//	at 10s cut agent3 20s
func (o *Options) readScenario() error {
	text, err := os.ReadFile(o.Scenario)
	if err != nil {
		return fmt.Errorf("simulate: scenario: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := o.setting(words); err != nil {
			return fmt.Errorf("simulate: %s:%d: %w", o.Scenario, number, err)
		}
	}
	return nil
}

func (o *Options) setting(words []string) error {
	if words[0] == "at" {
		if len(words) < 3 {
			return fmt.Errorf("%q: want at TIME FAULT", strings.Join(words, " "))
		}
		d, err := time.ParseDuration(words[1])
		o.script = append(o.script, scripted{d, words[2:]})
		return err
	}
	if len(words) != 2 {
		return fmt.Errorf("%q: want NAME VALUE", strings.Join(words, " "))
	}
	numbers := map[string]*int{"masters": &o.Masters, "agents": &o.Agents, "frameworks": &o.Frameworks, "tasks": &o.Tasks}
	durations := map[string]*time.Duration{
		"duration": &o.Duration, "fault-every": &o.FaultEvery, "reregister-timeout": &o.AgentReregisterTimeout,
	}
	name, value := words[0], words[1]
	var err error
	switch {
	case numbers[name] != nil:
		*numbers[name], err = strconv.Atoi(value)
	case name == "fault-every" && value == "none":
		o.FaultEvery = -1
	case durations[name] != nil:
		*durations[name], err = time.ParseDuration(value)
	case name == "seed":
		o.Seed, err = strconv.ParseUint(value, 10, 64)
	case name == "resources":
		o.AgentResources = value
	default:
		err = fmt.Errorf("%q is no setting", name)
	}
	return err
}
