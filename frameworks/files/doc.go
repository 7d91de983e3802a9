// Package files serves what the tasks of a framework need to begin with: programs,
// data, whole folders. Each has a URL of its own with a part that nobody can guess,
// so that who was not told it does not get it; whoever was told does, which over
// plain HTTP is everybody on the way.
//
//	server, err := files.Start(files.Options{Host: "scheduler.example.org"})
//	worker, err := server.File("worker", "/opt/crawler/worker")
//	task.Edit = files.Bring(worker.Program())
//
// Agents with a fetcher put what a task's URIs name into its sandbox, and those
// without refuse such tasks: for them Served.Fetch is a line of shell that fetches,
// with curl or wget.
//
// Schedulers import it.
package files
