package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
)

// maxRead is the most that one /files/read gives: 16 pages, as in Mesos.
const maxRead = 16 * 4096

// Routes are the handlers by their path below the process's prefix.
func (a *Attached) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"/files/browse":   answer(a.browse),
		"/files/read":     answer(a.read),
		"/files/download": http.HandlerFunc(a.download),
		"/files/debug":    answer(func(url.Values) (any, error) { return a.All(), nil }),
	}
}

// answer makes a handler of a function that gives what is to be written as
// JSON.
func answer(f func(url.Values) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err := f(r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), code(err))
			return
		}
		text, err := json.Marshal(result)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // a client that has gone needs no answer
	})
}

var errQuery = errors.New("bad query")

// code is the status that fits an error.
func code(err error) int {
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
	switch p := query.Get("path"); {
	case p == "":
		return "", fmt.Errorf("%w: path is missing", errQuery)
	case strings.ContainsRune(p, 0):
		return "", fmt.Errorf("%w: path=%q holds a NUL", errQuery, p)
	default:
		return p, nil
	}
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

// part is the answer of /files/read.
type part struct {
	Data   string `json:"data"`
	Offset int64  `json:"offset"`
}

// read gives a part of a file. Without an offset it gives the file's size.
func (a *Attached) read(query url.Values) (any, error) {
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
	file, err := a.open(virtual)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readPart(file, virtual, offset, length)
}

func readPart(file *os.File, virtual string, offset, length int64) (any, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%w: path=%q is a folder", errQuery, virtual)
	case offset == -1:
		return part{Offset: info.Size()}, nil
	}
	if length == -1 || length > maxRead {
		length = maxRead
	}
	data := make([]byte, length)
	n, err := file.ReadAt(data, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("path=%q: %w", virtual, err)
	}
	return part{Data: string(data[:n]), Offset: offset}, nil
}

// download gives a whole file, or the range that the request's header names.
func (a *Attached) download(w http.ResponseWriter, r *http.Request) {
	virtual, err := pathOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), code(err))
		return
	}
	file, err := a.open(virtual)
	if err != nil {
		http.Error(w, err.Error(), code(err))
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
	http.ServeContent(w, r, name, info.ModTime(), file)
}
