package masters

import (
	"errors"
	"strings"

	"troupe/messages/field"
)

// Schemes of a location that is no list of addresses.
const (
	schemeZooKeeper = "zk://"
	schemeFile      = "file://"
)

// maxLocation bounds the text of a location, in bytes: a slip of the hand may
// name any file.
const maxLocation = 16 << 10

// Location says how to find the leading master. Exactly one field is set.
type Location struct {
	// Masters are addresses, host:port, of some or all masters; any of them
	// knows who leads.
	Masters []string
	// ZooKeeper is where masters are elected.
	ZooKeeper *ZooKeeper
	// File is the absolute path of a file that holds one of the other forms.
	File string
}

// ZooKeeper is a place in a ZooKeeper ensemble.
type ZooKeeper struct {
	// User and Password of digest authentication; both empty for none.
	User, Password string
	// Servers are addresses, host:port, at least one.
	Servers []string
	// Path of the folder that belongs to the cluster: absolute, not "/", without
	// a slash at its end.
	Path string
}

// Parse reads a location:
//
//	host:port
//	host:port,host:port,…
//	zk://[user:password@]host:port,…/path
//	file:///path
//
// Errors are of package field and name the part that is wrong; none repeats a
// password.
func Parse(text string) (Location, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Location{}, errors.New("the location is empty: expecting " + forms)
	case len(text) > maxLocation:
		return Location{}, field.Invalid("location", nil, "has %d bytes, limit %d", len(text), maxLocation)
	case strings.HasPrefix(text, schemeZooKeeper):
		zk, err := ParseZooKeeper(text)
		if err != nil {
			return Location{}, err
		}
		return Location{ZooKeeper: &zk}, nil
	case strings.HasPrefix(text, schemeFile):
		path := strings.TrimPrefix(text, schemeFile)
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\x00\n") {
			return Location{}, field.Invalid("file", path, "is no absolute path: expecting file:///path")
		}
		return Location{File: path}, nil
	}
	if scheme, _, found := strings.Cut(text, "://"); found {
		return Location{}, field.Invalid("scheme", scheme, "is not known: expecting %s", forms)
	}
	list, err := addresses("masters", text)
	if err != nil {
		return Location{}, err
	}
	return Location{Masters: list}, nil
}

const forms = "host:port[,host:port…], zk://[user:password@]host:port[,host:port…]/path or file:///path"

// ParseZooKeeper reads the second form that Parse takes. The password may hold
// any character but NUL and line ends; the last @ ends it.
func ParseZooKeeper(text string) (ZooKeeper, error) {
	rest, found := strings.CutPrefix(strings.TrimSpace(text), schemeZooKeeper)
	if !found {
		return ZooKeeper{}, field.Invalid("scheme", nil, "is not zk: expecting zk://[user:password@]host:port[,host:port…]/path")
	}
	var zk ZooKeeper
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		credentials := rest[:i]
		rest = rest[i+1:]
		var colon bool
		zk.User, zk.Password, colon = strings.Cut(credentials, ":")
		switch {
		case !colon:
			return ZooKeeper{}, field.Invalid("credentials", nil, "have no colon: expecting user:password before @")
		case zk.User == "":
			return ZooKeeper{}, field.Invalid("credentials", nil, "have an empty user")
		case zk.Password == "":
			return ZooKeeper{}, field.Invalid("credentials", nil, "have an empty password")
		case strings.ContainsAny(credentials, "\x00\r\n"):
			return ZooKeeper{}, field.Invalid("credentials", nil, "hold a control character")
		}
	}
	servers, path, found := strings.Cut(rest, "/")
	if !found {
		return ZooKeeper{}, field.Invalid("path", nil, "is missing: expecting /path after the servers")
	}
	var err error
	if zk.Servers, err = addresses("servers", servers); err != nil {
		return ZooKeeper{}, err
	}
	zk.Path, err = znode("/" + path)
	return zk, err
}

// znode checks a path as ZooKeeper does.
func znode(path string) (string, error) {
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return "", field.Invalid("path", "/", "is ZooKeeper's root, which other things share: name a folder of the cluster's own")
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		switch part {
		case "":
			return "", field.Invalid("path", path, "has an empty part")
		case ".", "..":
			return "", field.Invalid("path", path, "has the part %q", part)
		}
		for _, r := range part {
			if r < ' ' || r == 0x7f || r == '�' {
				return "", field.Invalid("path", path, "holds the character %q", r)
			}
		}
	}
	return path, nil
}

// String is the form that Parse reads, except that it keeps a password to
// itself: it is for logs and pages.
func (l Location) String() string {
	switch {
	case l.ZooKeeper != nil:
		return l.ZooKeeper.String()
	case l.File != "":
		return schemeFile + l.File
	}
	return strings.Join(l.Masters, ",")
}

// hidden stands for a password.
const hidden = "***"

// String is the URL without its password.
func (z ZooKeeper) String() string {
	credentials := ""
	if z.User != "" {
		credentials = z.User + ":" + hidden + "@"
	}
	return schemeZooKeeper + credentials + strings.Join(z.Servers, ",") + z.Path
}

// Redact is text without the password that it may hold, for what shows flags as
// they were given.
func Redact(text string) string {
	start := strings.Index(text, schemeZooKeeper)
	at := strings.LastIndexByte(text, '@')
	if start < 0 || at < start {
		return text
	}
	start += len(schemeZooKeeper)
	user, _, found := strings.Cut(text[start:at], ":")
	if !found {
		return text[:start] + hidden + text[at:] // whatever it is, it is not for everybody
	}
	return text[:start] + user + ":" + hidden + text[at:]
}
