package commands

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// What an operator brings from Mesos is told of, or refused, by its name.
func TestFlagsOfMesosThatAreNotHere(t *testing.T) {
	for line, want := range map[string]string{
		"master --work_dir=D --acls=file:///etc/mesos/acls":                           `"--acls" flag: there are no ACLs yet`,
		"master --work_dir=D --authenticate_agents":                                   `"--authenticate_agents" flag: agents, and schedulers that are actors, prove`,
		"master --work_dir=D --authenticate_slaves=true":                              `"--authenticate_slaves" flag: agents`,
		"agent --master=m:1 --work_dir=D --containerizers=docker,mesos":               `"--containerizers" flag: there is no such containerizer`,
		"agent --master=m:1 --work_dir=D --enforce_container_ports":                   `"--enforce_container_ports" flag: containers share`,
		"agent --master=m:1 --work_dir=D --what":                                      `unknown flag: --what`,
		"master --work_dir=D --firewall_rules={":                                      `--firewall_rules="{"`,
		`master --work_dir=D --firewall_rules={"enabled":{}}`:                         `unknown field "enabled"`,
		`master --work_dir=D --firewall_rules={}{}`:                                   `goes on behind its end`,
		`master --work_dir=D --firewall_rules={"disabled_endpoints":{"paths":["x"]}}`: `has "x", which does not begin with /`,
		"agent --master=m:1 --work_dir=D --max_completed_executors_per_framework=0":   `="0" is below 1`,
		"agent --master=m:1 --work_dir=D --http_heartbeat_interval=0secs":             `is not above 0`,
	} {
		code, _, said := typed(t, strings.Fields(strings.ReplaceAll(line, "=D", "="+t.TempDir()))...)
		if code != usage || !strings.Contains(said, want) {
			t.Errorf("%s: %d %s, want %s", line, code, said, want)
		}
	}
}

func TestFlagsOfMesosWithoutEffect(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	var f foreignSet
	given(t, func(set *pflag.FlagSet) { f.add(set, foreignToAgent()) },
		"--quiet", "--no_acls", "--containerizers=mesos", "--hadoop_home=/opt", "--enforce_container_ports=false")
	f.warn(zap.New(core))
	var told []string
	for _, entry := range logs.All() {
		name, _, _ := strings.Cut(entry.Message, " ")
		told = append(told, name)
	}
	slices.Sort(told)
	if want := []string{"--containerizers", "--enforce_container_ports", "--hadoop_home", "--quiet"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
}

// docs/configuration.md names all of them, and no flag is both ours and foreign.
func TestForeignFlagsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	prose, _, _ := strings.Cut(string(page), "<!-- flags -->")
	for _, f := range append(foreignToMaster(), foreignToAgent()...) {
		if !regexp.MustCompile("`--" + f.name + "[`=]").MatchString(prose) {
			t.Errorf("--%s is not in %s", f.name, configurationPage)
		}
	}
}

func TestHostname(t *testing.T) {
	for line, want := range map[string]string{
		"--ip=10.0.0.1 --no_hostname_lookup":                         "10.0.0.1",
		"--ip=10.0.0.1 --hostname_lookup=false --hostname=h":         "h",
		"--ip=0.0.0.0 --no_hostname_lookup --advertise_ip=192.0.2.1": "192.0.2.1",
		"--ip=0.0.0.0 --no_hostname_lookup":                          machineName(),
		"--ip=10.0.0.1":                                              machineName(),
		"--ip=127.0.0.1":                                             "127.0.0.1",
	} {
		var n networkFlags
		given(t, func(set *pflag.FlagSet) { n.add(set, 1) }, strings.Fields(line)...)
		if got, err := n.network(); err != nil || got.Hostname != want {
			t.Errorf("%s: %q, %v, want %q", line, got.Hostname, err, want)
		}
	}
}
