// Package pages serves the pages for people of frameworks: files alone, which talk to
// the framework's API as any other client does. What such pages have in common, how
// they look and how they make elements of data, is here. Pages of frameworks import
// it.
package pages

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed shared
var embedded embed.FS

// policy lets a page load nothing but its own files, and be in no frame.
const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Handler serves the files of a page, and those that pages share, below a prefix
// that ends with a slash; the prefix itself is index.html. Rest answers whatever is
// no file; nil is 404. GET and HEAD are all a page answers.
func Handler(prefix string, own fs.FS, rest http.Handler) http.Handler {
	shared, err := fs.Sub(embedded, "shared")
	if err != nil {
		panic(err) // the folder is built in
	}
	if rest == nil {
		rest = http.NotFoundHandler()
	}
	serve := http.StripPrefix(prefix, http.FileServerFS(either{own, shared}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, below := strings.CutPrefix(r.URL.Path, prefix)
		switch {
		case r.URL.Path+"/" == prefix:
			http.Redirect(w, r, prefix, http.StatusMovedPermanently)
			return
		case !below || r.Method != http.MethodGet && r.Method != http.MethodHead || !isFile(either{own, shared}, name):
			rest.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // the files have no date: a new version is seen at once
		serve.ServeHTTP(w, r)
	})
}

func isFile(files fs.FS, name string) bool {
	if name == "" {
		name = "index.html"
	}
	if name != path.Clean(name) {
		return false
	}
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}

// either has the files of both; where both have one it is the first's.
type either struct{ first, second fs.FS }

// Open implements fs.FS.
func (e either) Open(name string) (fs.File, error) {
	f, err := e.first.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return e.second.Open(name)
	}
	return f, err
}
