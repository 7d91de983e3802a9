package masters

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func TestAddress(t *testing.T) {
	full := func() *mesos.MasterInfo {
		return &mesos.MasterInfo{
			Id: proto.String("m"), Pid: proto.String("master@10.0.0.1:5050"), Hostname: proto.String("old"), Port: proto.Uint32(5053),
			Ip:      proto.Uint32(16777343),
			Address: &mesos.Address{Ip: proto.String("::1"), Hostname: proto.String("name"), Port: proto.Int32(5051)},
		}
	}
	for _, test := range []struct {
		name, want string
		edit       func(*mesos.MasterInfo)
	}{
		{"pid first", "10.0.0.1:5050", func(*mesos.MasterInfo) {}},
		{"then the address", "[::1]:5051", func(m *mesos.MasterInfo) { m.Pid = nil }},
		{"a pid that is none", "[::1]:5051", func(m *mesos.MasterInfo) { m.Pid = proto.String("master@nowhere") }},
		{"a name for want of an ip", "name:5051", func(m *mesos.MasterInfo) { m.Pid, m.Address.Ip = nil, nil }},
		{"the old name", "old:5053", func(m *mesos.MasterInfo) { m.Pid, m.Address = nil, nil }},
		{"the old ip", "127.0.0.1:5053", func(m *mesos.MasterInfo) { m.Pid, m.Address, m.Hostname = nil, nil, nil }},
		{"the default port", "127.0.0.1:5050", func(m *mesos.MasterInfo) { m.Pid, m.Address, m.Hostname, m.Port = nil, nil, nil, nil }},
	} {
		m := full()
		test.edit(m)
		if got, err := Address(m); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
	if got, err := Address(&mesos.MasterInfo{Id: proto.String("m")}); err == nil {
		t.Errorf("a master without an address has %q", got)
	}
	if got, err := Address(nil); err == nil {
		t.Errorf("nobody has %q", got)
	}
}
