package files

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
)

// List tells what is in a folder, ordered by path. Status says what its errors
// mean.
func (a *Attached) List(virtual string) ([]*mesos.FileInfo, error) {
	if err := check(virtual); err != nil {
		return nil, err
	}
	folder, err := a.open(virtual)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	info, err := folder.Stat()
	if err != nil {
		return nil, fmt.Errorf("path=%q: %w", virtual, err)
	}
	if !info.IsDir() {
		return []*mesos.FileInfo{}, nil // as Mesos has it: nothing is in it
	}
	children, err := folder.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("path=%q: %w", virtual, err)
	}
	infos := make([]*mesos.FileInfo, 0, len(children))
	known := names{users: map[uint32]string{}, groups: map[uint32]string{}}
	for _, child := range children {
		info, err := child.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the folder was read
		}
		if err != nil {
			return nil, fmt.Errorf("path=%q: %w", virtual, err)
		}
		infos = append(infos, known.describe(path.Join(virtual, child.Name()), info))
	}
	slices.SortFunc(infos, func(x, y *mesos.FileInfo) int { return strings.Compare(x.GetPath(), y.GetPath()) })
	return infos, nil
}

// browse answers /files/browse.
func (a *Attached) browse(query url.Values) (func(*json.Writer), error) {
	virtual, err := pathOf(query)
	if err != nil {
		return nil, err
	}
	infos, err := a.List(virtual)
	if err != nil {
		return nil, err
	}
	return func(w *json.Writer) {
		w.BeginArray()
		for _, info := range infos {
			w.BeginObject()
			w.Field("path", info.GetPath())
			w.Field("nlink", info.GetNlink())
			w.Field("size", info.GetSize())
			w.Field("mtime", info.GetMtime().GetNanoseconds()/1e9)
			w.Field("mode", modeText(info.GetMode()))
			w.Field("uid", info.GetUid())
			w.Field("gid", info.GetGid())
			w.EndObject()
		}
		w.EndArray()
	}, nil
}

// names are those that were looked up for a listing.
type names struct{ users, groups map[uint32]string }

func (n names) describe(virtual string, info fs.FileInfo) *mesos.FileInfo {
	entry := &mesos.FileInfo{
		Path: proto.String(virtual), Size: proto.Uint64(uint64(info.Size())),
		Mtime: &mesos.TimeInfo{Nanoseconds: proto.Int64(info.ModTime().UnixNano())},
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		entry.Nlink = proto.Int32(int32(stat.Nlink))
		entry.Mode = proto.Uint32(stat.Mode)
		entry.Uid = proto.String(n.user(stat.Uid))
		entry.Gid = proto.String(n.group(stat.Gid))
	}
	return entry
}

// user is the name of a user, or the number of one that has none.
func (n names) user(id uint32) string {
	if _, known := n.users[id]; !known {
		text := strconv.FormatUint(uint64(id), 10)
		n.users[id] = text
		if u, err := user.LookupId(text); err == nil {
			n.users[id] = u.Username
		}
	}
	return n.users[id]
}

// group is the name of a group, or the number of one that has none.
func (n names) group(id uint32) string {
	if _, known := n.groups[id]; !known {
		text := strconv.FormatUint(uint64(id), 10)
		n.groups[id] = text
		if g, err := user.LookupGroupId(text); err == nil {
			n.groups[id] = g.Name
		}
	}
	return n.groups[id]
}

// kinds are the letters of ls for the kinds of files.
var kinds = map[uint32]byte{
	syscall.S_IFDIR: 'd', syscall.S_IFLNK: 'l', syscall.S_IFIFO: 'p',
	syscall.S_IFSOCK: 's', syscall.S_IFCHR: 'c', syscall.S_IFBLK: 'b',
}

// modeText writes permissions as ls does: one letter of kind, nine of
// permission.
func modeText(mode uint32) string {
	text := []byte(fs.FileMode(mode & 0o777).String())
	if kind, ok := kinds[mode&syscall.S_IFMT]; ok {
		text[0] = kind
	}
	return string(text)
}
