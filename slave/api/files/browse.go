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
)

// entry is one line of /files/browse.
type entry struct {
	Path  string `json:"path"`
	Links uint64 `json:"nlink"`
	Size  int64  `json:"size"`
	Mtime int64  `json:"mtime"` // seconds since 1970
	Mode  string `json:"mode"`  // as ls -l writes it
	User  string `json:"uid"`   // the name, or the number of one that has none
	Group string `json:"gid"`
}

// browse lists a folder, ordered by name.
func (a *Attached) browse(query url.Values) (any, error) {
	virtual, err := pathOf(query)
	if err != nil {
		return nil, err
	}
	folder, err := a.open(virtual)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	info, err := folder.Stat()
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: path=%q is not a folder", errQuery, virtual)
	}
	children, err := folder.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("path=%q: %w", virtual, err)
	}
	entries := make([]entry, 0, len(children))
	names := map[uint32]string{}
	for _, child := range children {
		info, err := child.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the folder was read
		}
		if err != nil {
			return nil, fmt.Errorf("path=%q: %w", virtual, err)
		}
		entries = append(entries, describe(path.Join(virtual, child.Name()), info, names))
	}
	slices.SortFunc(entries, func(x, y entry) int { return strings.Compare(x.Path, y.Path) })
	return entries, nil
}

func describe(virtual string, info fs.FileInfo, names map[uint32]string) entry {
	e := entry{Path: virtual, Size: info.Size(), Mtime: info.ModTime().Unix(), Mode: mode(info.Mode())}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		e.Links = uint64(stat.Nlink)
		e.User = userName(stat.Uid, names)
		e.Group = groupName(stat.Gid)
	}
	return e
}

// userName looks a user up once for a listing.
func userName(id uint32, names map[uint32]string) string {
	if name, ok := names[id]; ok {
		return name
	}
	text := strconv.FormatUint(uint64(id), 10)
	names[id] = text
	if u, err := user.LookupId(text); err == nil {
		names[id] = u.Username
	}
	return names[id]
}

func groupName(id uint32) string {
	text := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(text); err == nil {
		return g.Name
	}
	return text
}

// mode writes permissions as ls does: one letter of type, nine of permission.
func mode(m fs.FileMode) string {
	kind := byte('-')
	switch {
	case m.IsDir():
		kind = 'd'
	case m&fs.ModeSymlink != 0:
		kind = 'l'
	case m&fs.ModeNamedPipe != 0:
		kind = 'p'
	case m&fs.ModeSocket != 0:
		kind = 's'
	case m&fs.ModeCharDevice != 0:
		kind = 'c'
	case m&fs.ModeDevice != 0:
		kind = 'b'
	}
	text := []byte(m.Perm().String())
	text[0] = kind
	return string(text)
}
