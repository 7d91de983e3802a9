package match

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Host is where a task may run or runs: what constraints can be about. It must
// not be changed while something of this package knows it.
type Host struct {
	// Hostname of the agent.
	Hostname string
	// Region and Zone are the agent's fault domain, empty without one.
	Region, Zone string
	// Attributes are the agent's own. Of two with one name the first counts.
	Attributes []*mesos.Attribute
}

// HostOf is the host that an offer is about; it shares the offer's attributes.
func HostOf(o *mesos.Offer) Host {
	d := o.GetDomain().GetFaultDomain()
	return Host{
		Hostname: o.GetHostname(), Region: d.GetRegion().GetName(), Zone: d.GetZone().GetName(),
		Attributes: o.GetAttributes(),
	}
}

// The fields that are not attributes. "hostname" is another name of
// FieldHostname.
const (
	FieldHostname = "@hostname"
	FieldRegion   = "@region"
	FieldZone     = "@zone"

	plainHostname = "hostname"
)

// Value is a field of the host as text. ok is false for a host without it: an
// agent that names no fault domain, or has no such attribute.
func (h Host) Value(field string) (text string, ok bool) {
	switch field {
	case FieldHostname, plainHostname:
		return h.Hostname, true
	case FieldRegion:
		return h.Region, h.Region != ""
	case FieldZone:
		return h.Zone, h.Zone != ""
	}
	if a := h.attribute(field); a != nil {
		return attributeText(a), true
	}
	return "", false
}

func (h Host) attribute(name string) *mesos.Attribute {
	i := slices.IndexFunc(h.Attributes, func(a *mesos.Attribute) bool { return a.GetName() == name })
	if i < 0 {
		return nil
	}
	return h.Attributes[i]
}

// scalar is the number that an attribute is, in thousandths.
func (h Host) scalar(field string) (thousandths float64, ok bool) {
	a := h.attribute(field)
	if a == nil || a.GetType() != mesos.Value_SCALAR || strings.HasPrefix(field, "@") || field == plainHostname {
		return 0, false
	}
	return inThousandths(a.GetScalar().GetValue()), true
}

func inThousandths(v float64) float64 { return math.Round(v * 1000) }

// attributeText is an attribute as constraints see it: a text as it is, a
// scalar with at most three decimals, "[1-5,7-7]", "{a,b}". Ranges and sets
// have no blanks, unlike where people read them.
func attributeText(a *mesos.Attribute) string {
	switch a.GetType() {
	case mesos.Value_TEXT:
		return a.GetText().GetValue()
	case mesos.Value_RANGES:
		return rangesText(a.GetRanges().GetRange())
	case mesos.Value_SET:
		return "{" + strings.Join(resources.SetOf(a.GetSet().GetItem()...), ",") + "}"
	}
	v := inThousandths(a.GetScalar().GetValue()) / 1000
	if v == 0 {
		v = 0 // no "-0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func rangesText(list []*mesos.Value_Range) string {
	var all []resources.Range
	for _, r := range list {
		all = append(all, resources.Range{Begin: r.GetBegin(), End: r.GetEnd()})
	}
	var texts []string
	for _, r := range resources.RangesOf(all...) {
		texts = append(texts, strconv.FormatUint(r.Begin, 10)+"-"+strconv.FormatUint(r.End, 10))
	}
	return "[" + strings.Join(texts, ",") + "]"
}
