package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
)

// MaxRead is the most that one reading gives, in bytes: 16 pages, as in Mesos.
const MaxRead = 16 * 4096

// Help is a line for operators about what Routes are.
const Help = "?path=: logs and sandboxes"

// Routes are the handlers by their path below the process's prefix.
func (a *Attached) Routes() map[string]http.Handler {
	routes := map[string]http.Handler{"/files/download": http.HandlerFunc(a.download)}
	for path, f := range map[string]answer{
		"/files/browse": a.browse, "/files/read": a.read, "/files/debug": a.debug,
	} {
		for _, alias := range legacy.Aliases(path) {
			routes[alias] = f
		}
	}
	return routes
}

// answer gives what writes the answer to a query.
type answer func(url.Values) (func(*json.Writer), error)

// ServeHTTP implements http.Handler.
func (f answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !legacy.Allowed(w, r) {
		return
	}
	write, err := f(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), Status(err))
		return
	}
	legacy.Serve(w, r, write)
}

var errQuery = errors.New("bad query")

// Status is the HTTP status that fits an error of List or Read.
func Status(err error) int {
	switch {
	case errors.Is(err, errQuery), errors.Is(err, fs.ErrInvalid):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	}
	// os.Root says no to a path that escapes with an error of its own.
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func pathOf(query url.Values) (string, error) {
	p := query.Get("path")
	if err := check(p); err != nil {
		return "", err
	}
	return p, nil
}

func check(virtual string) error {
	switch {
	case virtual == "":
		return fmt.Errorf("%w: path is missing", errQuery)
	case strings.ContainsRune(virtual, 0):
		return fmt.Errorf("%w: path=%q holds a NUL", errQuery, virtual)
	}
	return nil
}

// number reads an integer that is at least -1; absent means -1.
func number(query url.Values, name string) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < -1 {
		return 0, fmt.Errorf("%w: %s=%q is not a number from -1 up", errQuery, name, text)
	}
	return n, nil
}

// Part is a piece of a file.
type Part struct {
	Data []byte
	// Size of the whole file in bytes.
	Size uint64
}

// Read gives at most length bytes of a file, and never more than MaxRead, from
// an offset in bytes; nothing behind its end. Status says what its errors mean.
func (a *Attached) Read(virtual string, offset, length uint64) (Part, error) {
	if err := check(virtual); err != nil {
		return Part{}, err
	}
	file, err := a.open(virtual)
	if err != nil {
		return Part{}, err
	}
	defer file.Close()
	return readPart(file, virtual, offset, length)
}

func readPart(file *os.File, virtual string, offset, length uint64) (Part, error) {
	info, err := file.Stat()
	if err != nil {
		return Part{}, fmt.Errorf("path=%q: %w", virtual, err)
	}
	if info.IsDir() {
		return Part{}, fmt.Errorf("%w: path=%q is a folder", errQuery, virtual)
	}
	part := Part{Data: []byte{}, Size: uint64(info.Size())}
	if offset >= part.Size {
		return part, nil
	}
	part.Data = make([]byte, min(length, MaxRead, part.Size-offset))
	n, err := file.ReadAt(part.Data, int64(offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return Part{}, fmt.Errorf("path=%q: %w", virtual, err)
	}
	part.Data = part.Data[:n]
	return part, nil
}

// read answers /files/read. Without an offset it tells the file's size.
func (a *Attached) read(query url.Values) (func(*json.Writer), error) {
	virtual, err := pathOf(query)
	if err != nil {
		return nil, err
	}
	offset, err := number(query, "offset")
	if err != nil {
		return nil, err
	}
	length, err := number(query, "length")
	if err != nil {
		return nil, err
	}
	if length == -1 {
		length = math.MaxInt64
	}
	if offset == -1 {
		length = 0
	}
	part, err := a.Read(virtual, uint64(max(offset, 0)), uint64(length))
	if err != nil {
		return nil, err
	}
	if offset == -1 {
		offset = int64(part.Size)
	}
	return func(w *json.Writer) {
		w.BeginObject()
		w.Field("data", string(part.Data))
		w.Field("offset", offset)
		w.EndObject()
	}, nil
}

// debug answers /files/debug: what is attached, and where.
func (a *Attached) debug(url.Values) (func(*json.Writer), error) {
	hosts := a.All()
	return func(w *json.Writer) {
		w.BeginObject()
		for _, virtual := range slices.Sorted(maps.Keys(hosts)) {
			w.Field(virtual, hosts[virtual])
		}
		w.EndObject()
	}, nil
}

// FileHeader tells downloaded files apart: one that was rotated keeps its value under
// its new name. An ETag would promise that it does not grow.
const FileHeader = "Troupe-File"

// download gives a whole file, or the range that the request's header names.
func (a *Attached) download(w http.ResponseWriter, r *http.Request) {
	if !legacy.Allowed(w, r) {
		return
	}
	virtual, err := pathOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), Status(err))
		return
	}
	file, err := a.open(virtual)
	if err != nil {
		http.Error(w, err.Error(), Status(err))
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		http.Error(w, fmt.Sprintf("path=%q is not a file", virtual), http.StatusBadRequest)
		return
	}
	name := path.Base(path.Clean("/" + virtual))
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(name))
	w.Header().Set("Content-Type", "application/octet-stream")
	if is, known := info.Sys().(*syscall.Stat_t); known {
		w.Header().Set(FileHeader, fmt.Sprintf("%d-%d", is.Dev, is.Ino))
	}
	http.ServeContent(w, r, name, info.ModTime(), file)
}
