package resources

import (
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/json"
	"troupe/messages/mesos"
)

func TestOlderFormsSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t, "r")
		back, err := New(r.ProtoEndpoint()...)
		if err != nil || !back.Equal(r) {
			t.Fatalf("%s as endpoints show it is %s, %v", r, back, err)
		}
		plain := r.Filter(func(e Entry) bool { return hasOlder(e.Reservations()) })
		_, err = r.ProtoOlder()
		if (err == nil) != (plain.Len() == r.Len()) {
			t.Fatalf("%s in the older form: %v", r, err)
		}
		list, err := plain.ProtoOlder()
		if err != nil {
			t.Fatal(err)
		}
		if back, err = New(list...); err != nil || !back.Equal(plain) {
			t.Fatalf("%s in the older form is %s, %v", plain, back, err)
		}
		for _, m := range list {
			if m.Role == nil || m.Reservations != nil {
				t.Fatalf("%v is not in the older form", m)
			}
		}
	})
}

func TestOlderFormsAsMesosWritesThem(t *testing.T) {
	kept := cpus(1)
	kept.Role, kept.Reservation = ptr("web"), &mesos.Resource_ReservationInfo{Principal: ptr("ops")}
	r, err := New(kept)
	if err != nil {
		t.Fatal(err)
	}
	r = r.Add(MustParse("mem:64").Allocate("web"))
	older, err := r.ProtoOlder()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},"role":"web","reservation":{"principal":"ops"}}`,
		`{"name":"mem","type":"SCALAR","scalar":{"value":64.0},"role":"*","allocation_info":{"role":"web"}}`,
	} {
		if got := string(json.Marshal(older[i])); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for _, text := range []string{"(STATIC,a),(DYNAMIC,a/b)", "(STATIC,a,ops)"} {
		stack := []*mesos.Resource_ReservationInfo{reservation(static, "a"), reservation(dynamic, "a/b")}
		if text == "(STATIC,a,ops)" {
			stack = stack[:1]
			stack[0].Principal = ptr("ops")
		}
		refined, err := New(reserved(stack...))
		if err != nil {
			t.Fatal(err)
		}
		want := `[0].reservations: "(reservations: [` + text + `])": cannot be said by role and reservation`
		if _, err := refined.ProtoOlder(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	want := `{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},"role":"web","reservation":{"principal":"ops"},"reservations":[{"type":"DYNAMIC","role":"web","principal":"ops"}]}`
	if got := string(json.Marshal(r.ProtoEndpoint()[0])); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
