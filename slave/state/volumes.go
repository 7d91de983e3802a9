package state

import "troupe/messages/mesos"

// Volume says where a persistent volume's data is.
type Volume struct {
	// Of the newest reservation; one volume of a role has this ID.
	Role, ID string
	// Root is the folder of the disk it is on; empty: the agent's work directory.
	Root string
	// Whole: it is all of that disk, and Root is its folder.
	Whole bool
}

// VolumeLink shows a volume in a sandbox.
type VolumeLink struct {
	Volume Volume
	// A path in the sandbox, relative; empty: something else shows it.
	At string
	// Whose the volume shall be, if it is nobody's yet; empty means the agent's own.
	User string
	// Others may have it, too: it stays whose it is.
	Shared bool
}

// volumeOf is where the data of a resource is that was checked to be a volume.
func volumeOf(r *mesos.Resource) Volume {
	v := Volume{Role: r.GetRole(), ID: r.GetDisk().GetPersistence().GetId()}
	if n := len(r.GetReservations()); n > 0 {
		v.Role = r.GetReservations()[n-1].GetRole()
	}
	switch source := r.GetDisk().GetSource(); source.GetType() {
	case mesos.Resource_DiskInfo_Source_PATH:
		v.Root = source.GetPath().GetRoot()
	case mesos.Resource_DiskInfo_Source_MOUNT:
		v.Root, v.Whole = source.GetMount().GetRoot(), true
	}
	return v
}

func volumesOf(list []*mesos.Resource) []Volume {
	volumes := make([]Volume, len(list))
	for i, r := range list {
		volumes[i] = volumeOf(r)
	}
	return volumes
}
