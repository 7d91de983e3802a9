package fetcher

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"troupe/messages/field"
	"troupe/slave/container/fetcher/archive"
)

// source is a URI that is understood.
type source struct {
	URI
	// shown is the URI without what may be secret in it.
	shown string
	// address is set for what a server has, and path for what the agent's disk has.
	address *url.URL
	path    string
	// name is the file that it becomes, relative to the sandbox.
	name string
	sum  *checksum
}

// checksum is what a file's contents must have.
type checksum struct {
	kind string // as in the URI
	want string // in hexadecimal
	make func() hash.Hash
}

// sums are the checksums that a URI's fragment may have. A fragment is never sent
// to a server; in the name of a file on the agent's disk one of this form is a
// checksum, too, and everything else a part of the name.
var sums = map[string]struct {
	size int
	make func() hash.Hash
}{
	"sha256": {sha256.Size, sha256.New},
	"sha512": {sha512.Size, sha512.New},
}

var sumForm = regexp.MustCompile(`^((?i)md5|sha-?[0-9]+|sha3-[0-9]+|blake[0-9a-z]+|crc32)=(.*)$`)

// parse checks all that can be known of a URI before it is fetched. Errors name the
// field.
func parse(u URI, s Settings) (source, error) {
	src := source{URI: u, shown: shown(u.Value)}
	value, fragment, _ := cutLast(u.Value, "#")
	sum, err := sumOf(fragment)
	if err != nil {
		return src, src.wrong("%v", err)
	}
	if src.sum = sum; sum == nil {
		value = u.Value
	}
	scheme, rest, remote := strings.Cut(value, "://")
	switch scheme = strings.ToLower(scheme); {
	case value == "" || strings.ContainsRune(value, 0):
		return src, src.wrong("is nothing that can be fetched")
	case !remote:
		err = src.local(value, s.Home)
	case scheme == "file":
		err = src.file(rest)
	case scheme == "http", scheme == "https":
		err = src.server(value)
	default:
		err = src.wrong("the scheme %q is not fetched by this agent: use http, https, file, or a path on the agent's disk", scheme)
	}
	if err == nil {
		err = src.rename()
	}
	return src, err
}

// parseAll checks all that can be known of an order's URIs before they are fetched.
// Errors name the fields.
func parseAll(uris []URI, s Settings) ([]source, error) {
	sources, errs := make([]source, len(uris)), make([]error, len(uris))
	for i, u := range uris {
		var err error
		sources[i], err = parse(u, s)
		errs[i] = field.At("command.uris", i, err)
	}
	if err := failures(errs); err != nil {
		return nil, err
	}
	return sources, distinct(sources)
}

// distinct refuses sources that would become one and the same file, or one of which
// would be a folder of another.
func distinct(sources []source) error {
	owner := map[string]int{}
	errs := make([]error, 0, len(sources))
	clash := func(i, other int, format string) {
		first, second := min(i, other), max(i, other)
		errs = append(errs, field.At("command.uris", second, field.Invalid("output_file", sources[second].name,
			format+" command.uris[%d], which is %s: give one of them another output_file", first, sources[first].shown)))
	}
	for i := range sources {
		for _, name := range sources[i].becomes() {
			if other, taken := owner[name]; taken && other != i {
				clash(i, other, "is what is written by")
				continue
			}
			owner[name] = i
		}
	}
	for i := range sources {
		for dir := path.Dir(sources[i].name); dir != "."; dir = path.Dir(dir) {
			if other, taken := owner[dir]; taken {
				clash(i, other, "cannot be a folder and a file, as it would be with")
			}
		}
	}
	return failures(errs)
}

// becomes is what it is known beforehand to be called in the sandbox; of most
// archives one knows when they are there.
func (s *source) becomes() []string {
	if s.unpack() && archive.FormatOf(path.Base(s.name)) == archive.Gzip {
		return []string{s.name, strings.TrimSuffix(path.Base(s.name), ".gz")}
	}
	return []string{s.name}
}

// cutLast cuts at the last sep. Without one, all is before it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func sumOf(fragment string) (*checksum, error) {
	match := sumForm.FindStringSubmatch(fragment)
	if match == nil {
		return nil, nil
	}
	kind, want := strings.ToLower(match[1]), strings.ToLower(match[2])
	known, ok := sums[kind]
	if !ok {
		return nil, fmt.Errorf("asks for the checksum %s, and only sha256 and sha512 are known", kind)
	}
	if b, err := hex.DecodeString(want); err != nil || len(b) != known.size {
		return nil, fmt.Errorf("the checksum after #%s= must be %d hexadecimal digits", kind, 2*known.size)
	}
	return &checksum{kind, want, known.make}, nil
}

func (s *source) local(value, home string) error {
	if !path.IsAbs(value) {
		if home == "" {
			return s.wrong("is relative, and this agent has no --frameworks_home that it could be relative to")
		}
		value = filepath.Join(home, value)
	}
	s.path, s.name = value, lastOf(value)
	return nil
}

func (s *source) file(rest string) error {
	at := strings.TrimPrefix(rest, "localhost")
	if !path.IsAbs(at) {
		return s.wrong("names another machine: file:// is followed by an absolute path on the agent's disk")
	}
	s.path, s.name = at, lastOf(at)
	return nil
}

func (s *source) server(value string) error {
	address, err := url.Parse(value)
	if err != nil {
		// What url says repeats the whole, with a password.
		return s.wrong("is no URL")
	}
	if address.Hostname() == "" {
		return s.wrong("names no host")
	}
	address.Fragment, address.RawFragment = "", ""
	s.address, s.name = address, lastOf(address.Path)
	return nil
}

// rename finds what the file is called in the sandbox.
func (s *source) rename() error {
	if out := s.OutputFile; out != "" {
		clean := path.Clean(out)
		if !filepath.IsLocal(clean) || clean == "." || strings.ContainsRune(out, 0) || strings.HasSuffix(out, "/") {
			return field.Invalid("output_file", out, "must be a file's path within the sandbox")
		}
		s.name = clean
	}
	switch {
	case s.name == "" || s.name == "." || s.name == ".." || s.name == "/" || strings.ContainsRune(s.name, 0):
		return s.wrong("does not end in the name of a file: set output_file")
	case s.name == staging || strings.HasPrefix(s.name, staging+"/"):
		return s.wrong("becomes %q, a name that is taken while things are fetched: set output_file", s.name)
	case len(path.Base(s.name)) > 255:
		return s.wrong("ends in a name that is too long for a file: set output_file")
	}
	return nil
}

// lastOf is the last part of a path; empty if that ends in "/".
func lastOf(p string) string { return p[strings.LastIndex(p, "/")+1:] }

// unpack tells whether what is fetched is to be extracted.
func (s *source) unpack() bool {
	return s.Extract && !s.Executable && archive.FormatOf(path.Base(s.name)) != archive.None
}

var (
	credentials = regexp.MustCompile(`://[^/?#]*@`)
	query       = regexp.MustCompile(`([?&][^=&#?]*=)[^&#]+`)
)

// redact takes out of a URI what may let others in: who it names in front of the host,
// since that may be a token, and the values in a query, since that may be signed.
func redact(uri string) string {
	if !strings.Contains(uri, "://") {
		return uri // a file's name
	}
	if at := strings.LastIndexByte(uri, '@'); at >= 0 {
		if _, err := url.Parse(uri); err != nil {
			uri = uri[:strings.Index(uri, "://")] + "://xxxxx" + uri[at:] // where it ends, nobody knows
		}
	}
	return query.ReplaceAllString(credentials.ReplaceAllString(uri, "://xxxxx@"), "${1}xxxxx")
}

// shown is a URI as logs have it.
func shown(uri string) string { return printable(redact(uri)) }

func (s *source) wrong(format string, args ...any) error {
	return field.Invalid("value", redact(s.Value), format, args...)
}

// maxShown bounds what messages repeat of a URI.
const maxShown = 1024

// printable is s, in quotes if it could make a mess of a log.
func printable(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "…"
	}
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}
