// Package page is the page for people of the service framework: apps with their
// instances, health and logs, deployments as they go on, what waits and why, and
// forms to create, edit, scale and end. It is files alone, which talk to the
// framework's API as any other client does. Wiring serves it beside that API.
package page

import (
	"embed"
	"io/fs"
	"net/http"

	"troupe/frameworks/pages"
)

//go:embed ui
var files embed.FS

// Handler serves the page below /ui/.
func Handler() http.Handler {
	ui, err := fs.Sub(files, "ui")
	if err != nil {
		panic(err) // the folder is built in
	}
	return pages.Handler("/ui/", ui, nil)
}
