package resources

import (
	"strings"

	"troupe/messages/mesos"
)

// String prints the text form, "cpus:4; mem(web):512". What the text form
// cannot say stands after the name for people to read.
func (r Resources) String() string {
	parts := make([]string, 0, len(r.entries))
	for _, e := range r.entries {
		parts = append(parts, e.String())
	}
	return strings.Join(parts, "; ")
}

// String prints one resource.
func (e Entry) String() string {
	var b strings.Builder
	b.WriteString(e.Name())
	if e.form.AllocationInfo != nil {
		b.WriteString("(allocated: " + e.AllocatedTo() + ")")
	}
	b.WriteString(describeReservations(e.form.Reservations))
	if d := e.form.Disk; d != nil {
		b.WriteString(describeDisk(d))
	}
	if e.Revocable() {
		b.WriteString("{REV}")
	}
	if e.Shared() {
		b.WriteString("<SHARED>")
	}
	b.WriteString(":" + e.value.String())
	if e.copies > 1 {
		b.WriteString(" ×" + Milli(1000*e.copies).String())
	}
	return b.String()
}

func describeReservations(stack []*mesos.Resource_ReservationInfo) string {
	if len(stack) == 0 {
		return ""
	}
	if r := stack[0]; len(stack) == 1 && r.GetType() == mesos.Resource_ReservationInfo_STATIC && r.Principal == nil && r.Labels == nil {
		return "(" + r.GetRole() + ")"
	}
	parts := make([]string, len(stack))
	for i, r := range stack {
		parts[i] = "(" + r.GetType().String() + "," + r.GetRole()
		if r.Principal != nil {
			parts[i] += "," + r.GetPrincipal()
		}
		if r.Labels != nil {
			parts[i] += "," + describeLabels(r.Labels)
		}
		parts[i] += ")"
	}
	return "(reservations: [" + strings.Join(parts, ",") + "])"
}

func describeLabels(labels *mesos.Labels) string {
	parts := make([]string, len(labels.GetLabels()))
	for i, l := range labels.GetLabels() {
		parts[i] = l.GetKey()
		if l.Value != nil {
			parts[i] += ": " + l.GetValue()
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func describeDisk(d *mesos.Resource_DiskInfo) string {
	var parts []string
	if s := d.Source; s != nil {
		text := s.GetType().String()
		if s.Id != nil {
			text += "(" + s.GetId() + ")"
		}
		if root := s.GetPath().GetRoot() + s.GetMount().GetRoot(); root != "" {
			text += ":" + root
		}
		parts = append(parts, text)
	}
	if p := d.Persistence; p != nil {
		parts = append(parts, p.GetId())
	}
	if v := d.Volume; v != nil {
		parts = append(parts, v.GetContainerPath())
	}
	return "[" + strings.Join(parts, ",") + "]"
}
