package fetcher

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// version is what a server says of a file by which it knows it again.
type version struct {
	// from is where it was found in the end, without a query, which may be signed anew
	// each time.
	from     string
	etag     string
	modified string
	// settled: modified is so old that nothing of that time can have come later.
	settled  bool
	encoding string
	size     int64 // -1 if that is not known
}

// settles is how much older than the answer a time of change must be to tell versions
// apart, as clocks and files of servers are only so exact.
const settles = time.Minute

// versionOf is what an answer says of the file that it has.
func versionOf(b *body) version {
	v := version{
		from: b.from, etag: b.header.Get("ETag"), modified: b.header.Get("Last-Modified"),
		encoding: b.header.Get("Content-Encoding"), size: b.size,
	}
	if strings.EqualFold(b.header.Get("Accept-Ranges"), "none") {
		return version{from: v.from, size: v.size}
	}
	date, derr := http.ParseTime(b.header.Get("Date"))
	modified, merr := http.ParseTime(v.modified)
	v.settled = derr == nil && merr == nil && date.Sub(modified) >= settles
	return v
}

// zero tells that there is none.
func (v version) zero() bool { return v == version{} }

var etagForm = regexp.MustCompile(`^"[!#-~]*"$`)

// condition is on what a server is to send a part; empty if there is nothing that would
// tell this version from others for sure.
func (v version) condition() string {
	switch {
	case etagForm.MatchString(v.etag): // others, W/"…", are the same for what is nearly the same
		return v.etag
	case v.settled && v.etag == "":
		return v.modified
	}
	return ""
}

// conditions ask for what follows at; for the whole file if that is 0.
func (v version) conditions(at int64) http.Header {
	h := http.Header{}
	if at > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(at, 10)+"-")
		h.Set("If-Range", v.condition())
	}
	return h
}

var rangeForm = regexp.MustCompile(`^bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})$`)

// continues tells whether an answer has what follows at of this very version, to the
// end. Then it is known how large that is.
func (v *version) continues(b *body, at int64) bool {
	match := rangeForm.FindStringSubmatch(b.header.Get("Content-Range"))
	if b.status != http.StatusPartialContent || match == nil {
		return false
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(match[1+i], 10, 64)
		if err != nil {
			return false
		}
		numbers[i] = n
	}
	begin, last, size := numbers[0], numbers[1], numbers[2]
	switch {
	case begin != at || last != size-1 || b.size >= 0 && b.size != size-at:
		return false
	case v.size >= 0 && size != v.size:
		return false
	case b.from != v.from || b.header.Get("ETag") != v.etag || b.header.Get("Content-Encoding") != v.encoding:
		return false
	}
	if modified := b.header.Get("Last-Modified"); modified != v.modified && (v.etag == "" || modified != "" && v.modified != "") {
		return false
	}
	v.size = size
	return true
}
