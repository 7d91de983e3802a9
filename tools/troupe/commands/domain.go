package commands

import (
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/validate"
)

// domainForm is what --domain looks like.
const domainForm = `{"fault_domain": {"region": {"name": "r1"}, "zone": {"name": "z1"}}}`

// domainOf reads --domain; nil when it is not given.
func domainOf(text string) (*mesos.DomainInfo, error) {
	if text == "" {
		return nil, nil
	}
	domain := new(mesos.DomainInfo)
	err := json.Unmarshal([]byte(text), domain)
	if err == nil {
		err = validate.DomainInfo(domain)
	}
	if err != nil {
		return nil, flagError("domain", text, err.Error())
	}
	return domain, nil
}
