package e2e

import (
	"path/filepath"
	"syscall"
	"testing"

	"troupe/tools/browsertest"
)

// Somebody who has nothing but a browser makes a job, sees it fail, and reads why;
// changes it, and ends it while it runs.
func TestCronInABrowser(t *testing.T) {
	w := newWorld(t).separate()
	c := w.cron(filepath.Join(w.dir, "cron.db"))
	c.leads()
	b := browsertest.New(t, 1200, 900)
	b.Open("http://" + c.at + "/")
	b.WaitText("main", "There are no jobs yet")
	b.WaitText("#connection", "live")

	b.Click(`nav a[href="#/new"]`)
	b.Fill("#f-name", "first try")
	b.Fill("#f-command", `echo "it went wrong"; exit 3`)
	b.Fill("#f-schedule", "R/2100-01-01T00:00:00Z/P1D")
	b.Fill("#f-retries", "0")
	b.Fill("#f-cpus", "0.1")
	b.Fill("#f-mem", "16")
	b.Fill("#f-disk", "1")
	b.Click("#save")
	b.WaitText("h1", "first try")
	b.WaitText(".reasons", "it is due next at 2100-01-01")
	b.Click("#run")
	b.Click("dialog button.first")
	b.Wait(`[...document.querySelectorAll("td.number")].some((e) => e.innerText === "3")`)
	b.WaitText("main", "failed")
	b.Picture("failed")
	b.Click(`tbody a[href*="stdout"]`)
	b.WaitText("#log", "it went wrong")

	b.Click(`main a[href="#/job/first%20try"]`)
	b.Click("#edit")
	b.Fill("#f-command", "echo going on; sleep 1000")
	b.Click("#save")
	b.WaitText("h1", "first try")
	b.Click("#run")
	b.Click("dialog button.first")
	b.WaitText("main", "Runs going on")
	b.WaitText("main", "running")
	b.Click(`tbody a[href*="stdout"]`)
	b.WaitText("#log", "going on")
	b.Click(`main a[href="#/job/first%20try"]`)
	b.Click("#kill")
	b.Click("dialog button.first")
	b.WaitText("main", "killed")
	b.Wait(`!document.querySelector("main").innerText.includes("Runs going on")`)
	c.Signal(syscall.SIGTERM) // the page listens to its events
	c.wait().check(t, "cron after SIGTERM", 0, "", `"ended in order"`)
	w.end()
}
