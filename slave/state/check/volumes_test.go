package check

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func volumeAt(path string, mode mesos.Volume_Mode) *mesos.Resource {
	return &mesos.Resource{Name: proto.String("disk"), Disk: &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")},
		Volume:      &mesos.Volume{ContainerPath: &path, Mode: &mode},
	}}
}

func TestVolumes(t *testing.T) {
	uses, err := Volumes([]*mesos.Resource{{Name: proto.String("cpus")}, volumeAt("a//b/", mesos.Volume_RW)})
	if err != nil || len(uses) != 1 || uses[0].At != "a/b" {
		t.Errorf("%v, %v", uses, err)
	}
	for path, want := range map[string]string{
		"":        "resources[0].disk.volume.container_path: must be set",
		"/data":   `resources[0].disk.volume.container_path: "/data": is absolute: only a mount could put the volume there`,
		"..":      `resources[0].disk.volume.container_path: "..": must be within the sandbox`,
		"a/../..": `resources[0].disk.volume.container_path: "a/../..": must be within the sandbox`,
		"a/..":    `resources[0].disk.volume.container_path: "a/..": must be within the sandbox`,
	} {
		if _, err := Volumes([]*mesos.Resource{volumeAt(path, mesos.Volume_RW)}); err == nil || err.Error() != want {
			t.Errorf("%q: error is\n%v, want\n%s", path, err, want)
		}
	}
	if _, err := Volumes([]*mesos.Resource{volumeAt("data", mesos.Volume_RO)}); err == nil {
		t.Error("a volume that cannot be written was promised")
	}
}
