package resources

import (
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

// dynamically is one resource of the text form, with a stack of dynamic
// reservations.
func dynamically(text string, roles ...string) *mesos.Resource {
	m := MustParse(text).Proto()[0]
	for _, role := range roles {
		m.Reservations = append(m.Reservations, &mesos.Resource_ReservationInfo{
			Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role,
		})
	}
	return m
}

func TestLent(t *testing.T) {
	volume := dynamically("disk:5", "web")
	volume.Disk = &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("v")}}
	shared := dynamically("disk:6", "web")
	shared.Disk, shared.Shared = volume.Disk, &mesos.Resource_SharedInfo{}
	path := dynamically("disk:7", "web")
	path.Disk = &mesos.Resource_DiskInfo{Source: &mesos.Resource_DiskInfo_Source{Type: mesos.Resource_DiskInfo_Source_PATH.Enum()}}
	provided := dynamically("cpus:8", "web")
	provided.ProviderId = &mesos.ResourceProviderID{Value: ptr("p")}
	revocable := MustParse("cpus:9").Proto()[0]
	revocable.Revocable = &mesos.Resource_RevocableInfo{}
	for _, c := range []struct {
		what *mesos.Resource
		lent string
	}{
		{dynamically("cpus:1"), ""},
		{dynamically("cpus:1", "web"), "cpus(reservations: [(DYNAMIC,web)]){REV}:1"},
		{dynamically("disk:4", "web"), "disk(reservations: [(DYNAMIC,web)]){REV}:4"},
		{dynamically("ports:[1-2]", "web", "web/a"), "ports(reservations: [(DYNAMIC,web),(DYNAMIC,web/a)]){REV}:[1-2]"},
		{MustParse("cpus(web):2").Proto()[0], "cpus(web){REV}:2"},
		{volume, ""},
		{shared, ""},
		{path, ""},
		{provided, ""},
		{revocable, ""},
	} {
		r, err := New(c.what)
		if err != nil {
			t.Fatal(err)
		}
		if lent := r.Lent(); lent.String() != c.lent {
			t.Errorf("of %s is lent %q, want %q", r, lent, c.lent)
		}
	}
}

// TestBorrowedIsTakenFromItsUnderlying: what is lent is another resource than
// what its owner has, comes to the same, and is that again when it is back.
func TestBorrowedIsTakenFromItsUnderlying(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, o := draw(t, "r"), draw(t, "o")
		lent := r.Lent()
		switch {
		case !lent.Borrowed().Equal(lent) || !lent.Lent().IsEmpty():
			t.Fatalf("%s is lent as %s, of which %s is borrowed", r, lent, lent.Borrowed())
		case !lent.IsEmpty() && r.Borrowed().IsEmpty() && r.Contains(lent):
			t.Fatalf("%s contains %s, which is lent of it", r, lent)
		case !r.Contains(lent.Underlying()):
			t.Fatalf("%s does not contain what %s is taken from, %s", r, lent, lent.Underlying())
		case !r.Underlying().Borrowed().IsEmpty() || !r.Underlying().Underlying().Equal(r.Underlying()):
			t.Fatalf("%s is taken from %s", r, r.Underlying())
		}
		if sum := r.Add(o).Underlying(); !sum.Equal(r.Underlying().Add(o.Underlying())) {
			t.Fatalf("%s and %s are taken from %s", r, o, sum)
		}
	})
}
