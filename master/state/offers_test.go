package state

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

func TestResourcesInTheOldForm(t *testing.T) {
	reservation := func(typ mesos.Resource_ReservationInfo_Type, role string) *mesos.Resource_ReservationInfo {
		return &mesos.Resource_ReservationInfo{Type: typ.Enum(), Role: &role, Principal: proto.String("p")}
	}
	static, dynamic := mesos.Resource_ReservationInfo_STATIC, mesos.Resource_ReservationInfo_DYNAMIC
	for _, c := range []struct {
		stack []*mesos.Resource_ReservationInfo
		want  string
	}{
		{nil, `"role":"*"`},
		{[]*mesos.Resource_ReservationInfo{{Type: static.Enum(), Role: proto.String("eng")}}, `"role":"eng"`},
		{[]*mesos.Resource_ReservationInfo{reservation(dynamic, "eng")}, `"role":"eng","reservation":{"principal":"p"}`},
		{
			[]*mesos.Resource_ReservationInfo{reservation(dynamic, "eng"), reservation(dynamic, "eng/web")},
			`"reservations":[{"type":"DYNAMIC","role":"eng","principal":"p"},{"type":"DYNAMIC","role":"eng/web","principal":"p"}]`,
		},
	} {
		given := &mesos.Resource{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(1)}, Reservations: c.stack}
		before, err := resources.New(proto.CloneOf(given))
		if err != nil {
			t.Fatal(err)
		}
		old := unrefined([]*mesos.Resource{given})
		got := &mesos.Resource{Role: old[0].Role, Reservation: old[0].Reservation, Reservations: old[0].Reservations}
		if text := string(json.Marshal(got)); text != "{"+c.want+"}" {
			t.Errorf("got %s, want %s", text, c.want)
		}
		after, err := resources.New(old...)
		if err != nil || !after.Equal(before) {
			t.Errorf("the old form of %s means %s, %v", before, after, err)
		}
	}
}

func TestTheRingKeepsTheNewest(t *testing.T) {
	r := ring[int]{max: 3}
	for i := range 10 {
		gone, any := r.add(i)
		if any != (i >= 3) || any && gone != i-3 {
			t.Errorf("adding %d pushed out %d, %v", i, gone, any)
		}
	}
	none := ring[int]{max: -1}
	if gone, any := none.add(7); !any || gone != 7 {
		t.Error("a ring for nothing kept something")
	}
}

func TestAddressesWithoutIncarnation(t *testing.T) {
	for peer, want := range map[Peer]string{
		"agent@h:5051#x": "agent@h:5051", "agent@h:5051": "agent@h:5051", "agent@h:0#x": "", "agent@h:0": "",
	} {
		if got := addressOf(peer); got != want {
			t.Errorf("%s: got %q, want %q", peer, got, want)
		}
	}
}
