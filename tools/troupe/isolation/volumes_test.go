package isolation

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/executor/program"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
)

func volumeOf(role, id, at string) *mesos.Resource {
	return &mesos.Resource{
		Name: proto.String("disk"), Reservations: []*mesos.Resource_ReservationInfo{{Role: proto.String(role)}},
		Disk: &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &id}, Volume: &mesos.Volume{ContainerPath: &at, Mode: mesos.Volume_RO.Enum()},
		},
	}
}

// TestVolumesAmong: a task of a group has those of its executor's volumes that it
// was given.
func TestVolumesAmong(t *testing.T) {
	around := []isolator.Volume{
		{Resource: volumeOf("a", "v", "data"), Source: "/a"},
		{Resource: volumeOf("b", "v", "data"), Source: "/b"},
		{Resource: volumeOf("b", "v", "other"), Source: "/c"},
	}
	got, err := volumesAmong([]*mesos.Resource{{Name: proto.String("cpus")}, volumeOf("b", "v", "data")}, around)
	if err != nil || len(got) != 1 || got[0].Source != "/b" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := volumesAmong([]*mesos.Resource{volumeOf("c", "v", "data")}, around); err == nil || !strings.Contains(err.Error(), `persistent volume "v"`) {
		t.Errorf("error is %v", err)
	}
	old := volumeOf("", "v", "data")
	old.Reservations, old.Role = nil, proto.String("a")
	if got, err := volumesAmong([]*mesos.Resource{old}, around); err != nil || got[0].Source != "/a" {
		t.Errorf("in the older form: %v, %v", got, err)
	}
}

// TestImagesAreRefused, where volumes are mounted as well: what asks for a file system
// of its own does not run in the machine's.
func TestImagesAreRefused(t *testing.T) {
	id := &mesos.ContainerID{Value: proto.String("c")}
	for want, info := range map[string]*mesos.ContainerInfo{
		"container.type":        {Type: mesos.ContainerInfo_DOCKER.Enum()},
		"container.mesos.image": {Type: mesos.ContainerInfo_MESOS.Enum(), Mesos: &mesos.ContainerInfo_MesosInfo{Image: &mesos.Image{Type: mesos.Image_DOCKER.Enum()}}},
	} {
		set := isolator.NewSet(unmoved(linuxFilesystem), unmoved(sandboxPath))
		if _, err := infoOf(program.Contents{ID: id, Sandbox: "/s", Info: info}, set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}
