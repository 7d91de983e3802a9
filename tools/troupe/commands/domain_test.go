package commands

import (
	"strings"
	"testing"
)

func TestDomain(t *testing.T) {
	domain, err := domainOf(domainForm)
	if err != nil || domain.GetFaultDomain().GetRegion().GetName() != "r1" || domain.GetFaultDomain().GetZone().GetName() != "z1" {
		t.Errorf("got %v, %v", domain, err)
	}
	if domain, err := domainOf(""); domain != nil || err != nil {
		t.Errorf("got %v, %v", domain, err)
	}
	for text, want := range map[string]string{
		"r1": "domain", "{}": "fault_domain: must be set",
		`{"fault_domain":{"region":{"name":""},"zone":{"name":"z"}}}`: "fault_domain.region.name: must be set",
		`{"fault_domain":{"region":{"name":"r"},"zone":{"name":""}}}`: "fault_domain.zone.name: must be set",
		`{"fault_domain":{"region":{"name":"r"}}}`:                    "zone",
	} {
		if _, err := domainOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
