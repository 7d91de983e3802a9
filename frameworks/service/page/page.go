// Package page is the page for people of the service framework: apps with their
// instances, health and logs, deployments as they go on, what waits and why, and
// forms to create, edit, scale and end. It is files alone, which talk to the
// framework's API as any other client does. Wiring serves it beside that API.
package page

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed ui
var files embed.FS

// policy lets the page load nothing but its own files, and be in no frame.
const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Handler serves the page below /ui/.
func Handler() http.Handler {
	ui, err := fs.Sub(files, "ui")
	if err != nil {
		panic(err) // the folder is built in
	}
	serve := http.StripPrefix("/ui/", http.FileServerFS(ui))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ui" {
			http.Redirect(w, r, "/ui/", http.StatusMovedPermanently)
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
