package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Reconfigured names everything that an agent says of itself now, and said
// otherwise when it got its id, unless policy allows the change; nil when it
// allows all of it. Additive allows what adds: more of a resource or an
// attribute, or others, and a domain where none was.
func Reconfigured(before, now *mesos.AgentInfo, additive bool) error {
	var changes []string
	note := func(what, before, now string) {
		changes = append(changes, fmt.Sprintf("%s was %s and is %s", what, before, now))
	}
	if before.GetHostname() != now.GetHostname() {
		note("hostname", before.GetHostname(), now.GetHostname())
	}
	if before.GetPort() != now.GetPort() {
		note("port", fmt.Sprint(before.GetPort()), fmt.Sprint(now.GetPort()))
	}
	if had, has := before.Domain, now.Domain; !proto.Equal(had, has) && !(additive && had == nil) {
		note("domain", domainText(had), domainText(has))
	}
	if err := resourcesChanged(before.GetResources(), now.GetResources(), additive, note); err != nil {
		return err
	}
	attributesChanged(before.GetAttributes(), now.GetAttributes(), additive, note)
	if len(changes) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(changes, "; "))
}

func domainText(d *mesos.DomainInfo) string {
	if d == nil {
		return "none"
	}
	return d.GetFaultDomain().GetRegion().GetName() + "/" + d.GetFaultDomain().GetZone().GetName()
}

type notes func(what, before, now string)

func resourcesChanged(before, now []*mesos.Resource, additive bool, note notes) error {
	b, err := resources.New(before...)
	if err != nil {
		return fmt.Errorf("the resources of before: %w", err)
	}
	n, err := resources.New(now...)
	if err != nil {
		return fmt.Errorf("resources: %w", err)
	}
	seen := map[string]bool{}
	for e := range b.Add(n).All() {
		if seen[e.Name()] {
			continue
		}
		seen[e.Name()] = true
		named := func(x resources.Entry) bool { return x.Name() == e.Name() }
		had, has := b.Filter(named), n.Filter(named)
		if !had.Equal(has) && !(additive && has.Contains(had)) {
			note("resource "+e.Name(), cmp.Or(had.String(), "none"), cmp.Or(has.String(), "none"))
		}
	}
	return nil
}

func attributesChanged(before, now []*mesos.Attribute, additive bool, note notes) {
	has := map[string][]*mesos.Attribute{}
	for _, a := range now {
		has[a.GetName()] = append(has[a.GetName()], a)
	}
	had := map[string]bool{}
	for _, a := range before {
		had[a.GetName()] = true
		same := slices.ContainsFunc(has[a.GetName()], func(b *mesos.Attribute) bool {
			return attributeText(a) == attributeText(b) || additive && adds(a, b)
		})
		if !same {
			note("attribute "+a.GetName(), attributeText(a), texts(has[a.GetName()]))
		}
	}
	for _, a := range now {
		if !additive && !had[a.GetName()] {
			note("attribute "+a.GetName(), "none", attributeText(a))
		}
	}
}

func attributeText(a *mesos.Attribute) string { return fmt.Sprintf("%q", resources.AttributeText(a)) }

func texts(list []*mesos.Attribute) string {
	if len(list) == 0 {
		return "none"
	}
	var all []string
	for _, a := range list {
		all = append(all, attributeText(a))
	}
	return strings.Join(all, ", ")
}

// adds tells that b has all of a, as resources of that amount would. A text
// has no more and less.
func adds(a, b *mesos.Attribute) bool {
	if a.GetType() != b.GetType() || a.GetType() == mesos.Value_TEXT {
		return false
	}
	had, err := resources.New(asResource(a))
	if err != nil {
		return false
	}
	has, err := resources.New(asResource(b))
	return err == nil && has.Contains(had)
}

func asResource(a *mesos.Attribute) *mesos.Resource {
	return &mesos.Resource{Name: a.Name, Type: a.Type, Scalar: a.Scalar, Ranges: a.Ranges, Set: a.Set}
}
