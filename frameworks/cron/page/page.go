// Package page is the page for people of the cron framework: jobs with their states
// and next due times, the graph of what depends on what, runs with exit codes and
// logs, why a job does not run, and forms to create, edit, run and kill. It is files
// alone, which talk to the framework's API as any other client does. Wiring serves it
// beside that API.
package page

import (
	"embed"
	"io/fs"
	"net/http"

	"troupe/frameworks/pages"
)

//go:embed ui
var files embed.FS

// Handler serves the page at /, and has rest answer whatever is not of it; nil is 404.
func Handler(rest http.Handler) http.Handler {
	ui, err := fs.Sub(files, "ui")
	if err != nil {
		panic(err) // the folder is built in
	}
	return pages.Handler("/", ui, rest)
}
