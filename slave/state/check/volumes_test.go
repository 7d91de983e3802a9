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
	uses, err := Volumes([]*mesos.Resource{{Name: proto.String("cpus")}, volumeAt("a//b/", mesos.Volume_RW)}, false)
	if err != nil || len(uses) != 1 || uses[0].At != "a/b" || uses[0].Mount {
		t.Errorf("%v, %v", uses, err)
	}
	for path, want := range map[string]string{
		"":        "resources[0].disk.volume.container_path: must be set",
		"/data":   `resources[0].disk.volume.container_path: "/data": is absolute: only a mount could put the volume there; the agent needs --isolation=filesystem/linux for that`,
		"..":      `resources[0].disk.volume.container_path: "..": must be within the sandbox`,
		"a/../..": `resources[0].disk.volume.container_path: "a/../..": must be within the sandbox`,
		"a/..":    `resources[0].disk.volume.container_path: "a/..": must be within the sandbox`,
	} {
		if _, err := Volumes([]*mesos.Resource{volumeAt(path, mesos.Volume_RW)}, false); err == nil || err.Error() != want {
			t.Errorf("%q: error is\n%v, want\n%s", path, err, want)
		}
	}
	if _, err := Volumes([]*mesos.Resource{volumeAt("data", mesos.Volume_RO)}, false); err == nil {
		t.Error("a volume that cannot be written was promised")
	}
}

func TestMountedVolumes(t *testing.T) {
	for _, c := range []struct {
		path  string
		mode  mesos.Volume_Mode
		at    string
		mount bool
		err   string
	}{
		{"data", mesos.Volume_RW, "data", false, ""},
		{"data", mesos.Volume_RO, "data", true, ""},
		{"/srv//data/", mesos.Volume_RW, "/srv/data", true, ""},
		{"/srv", mesos.Volume_RO, "/srv", true, ""},
		{"/x/..", mesos.Volume_RO, "", false, `resources[0].disk.volume.container_path: "/x/..": must not be the root folder`},
		{"../x", mesos.Volume_RO, "", false, `resources[0].disk.volume.container_path: "../x": must be within the sandbox`},
		{"", mesos.Volume_RO, "", false, "resources[0].disk.volume.container_path: must be set"},
	} {
		uses, err := Volumes([]*mesos.Resource{volumeAt(c.path, c.mode)}, true)
		switch {
		case c.err != "" && (err == nil || err.Error() != c.err):
			t.Errorf("%q %s: error is\n%v, want\n%s", c.path, c.mode, err, c.err)
		case c.err == "" && (err != nil || uses[0].At != c.at || uses[0].Mount != c.mount):
			t.Errorf("%q %s: %+v, %v", c.path, c.mode, uses, err)
		}
	}
}
