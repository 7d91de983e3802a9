package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"troupe/tools/browsertest"
)

// shop fills a framework with apps of every kind of state.
func (s *service) shop(w *world) {
	s.t.Helper()
	s.does(http.MethodPost, "/v2/apps", w.webApp("/shop/front", "one", 3, `, "labels": {"team": "search", "<b>": "<script>alert(1)</script>"}`))
	s.does(http.MethodPost, "/v2/apps", w.webApp("/shop/back", "one", 1, ""))
	s.does(http.MethodPost, "/v2/apps", `{"id": "/broken", "cmd": "echo it breaks >&2; exit 3", "cpus": 0.1, "mem": 32, "backoffSeconds": 300}`)
	s.does(http.MethodPost, "/v2/apps", `{"id": "/huge", "cmd": "sleep 1000", "cpus": 400, "mem": 32}`)
	s.does(http.MethodPost, "/v2/apps", `{"id": "/asleep", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32, "instances": 0}`)
	s.settled("/shop/front", 3)
	s.settled("/shop/back", 1)
}

// The page of the service framework, as people use it: with the mouse, with keys
// alone, and by what a screen reader is told.
func TestServicePage(t *testing.T) {
	c := newWorld(t).separate()
	s := c.service(filepath.Join(c.dir, "state"))
	s.leads()
	s.shop(c.world)
	b := browsertest.New(t, 1200, 900)
	b.Open("http://" + s.at + "/")
	t.Run("apps", func(*testing.T) { s.seesApps(b) })
	t.Run("app", func(*testing.T) { s.seesAnApp(b) })
	t.Run("logs", func(*testing.T) { s.readsLogs(b) })
	t.Run("create", func(*testing.T) { s.createsAnApp(b) })
	t.Run("edit", func(*testing.T) { s.editsAnApp(b) })
	t.Run("deployments", func(*testing.T) { s.steersDeployments(b) })
	t.Run("keys", func(*testing.T) { s.usesKeys(b) })
	t.Run("destroy", func(*testing.T) { s.destroysAnApp(b) })
	s.does(http.MethodDelete, "/v2/groups?force=true", "")
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	s.kill()
	c.end()
}

// looks checks what holds for every view.
func looks(b *browsertest.Browser, name string) {
	b.Picture(name)
	b.CheckTree()
	b.CheckContrast()
}

// asks checks what holds for a dialog, behind which nothing can be reached.
func asks(b *browsertest.Browser, name string) {
	b.Picture(name)
	b.CheckContrast()
}

func (s *service) seesApps(b *browsertest.Browser) {
	b.WaitText("main", "5 of 5 apps")
	b.WaitText("main", "/huge")
	b.Wait(`[...document.querySelectorAll("tbody tr")].some((r) => r.innerText.includes("/broken") && /Delayed|Deploying/.test(r.innerText))`)
	b.WaitText("main", "3 of 3 running, 3 healthy")
	b.WaitText("#waiting", "2")
	looks(b, "apps")
	b.Dark(true)
	looks(b, "apps-dark")
	b.Dark(false)
	b.Fill("#find", "team:search")
	b.WaitText("caption", "1 of 5 apps")
	b.Fill("#find", "")
	b.WaitText("caption", "5 of 5 apps")
}

func (s *service) seesAnApp(b *browsertest.Browser) {
	b.Click(`a[href="#/app/huge"]`)
	b.WaitText("h1", "/huge")
	b.WaitText("#why", "Why it is not as it should be")
	b.WaitText("main", "cpu")
	looks(b, "huge")
	b.Click(`nav a[href="#/queue"]`)
	b.WaitText("h1", "Queue")
	b.WaitText("main", "InsufficientCpus")
	looks(b, "queue")
	b.Click(`nav a[href="#/apps"]`)
	b.Click(`a[href="#/app/shop/front"]`)
	b.WaitText("h1", "/shop/front")
	b.WaitText("caption", "3 instances of /shop/front")
	looks(b, "app")
	var before string
	b.Eval(`document.querySelector("tbody code").innerText`, &before)
	b.Click(`[id="kill-` + before + `"]`)
	b.WaitText("dialog", "Kill "+before)
	asks(b, "kill")
	b.Click("dialog button.first")
	b.WaitText("#notices", "is being killed")
	b.Wait(fmt.Sprintf(`!document.querySelector("main").innerText.includes(%q)`, before))
	b.WaitText("main", "3 of 3 running, 3 healthy")
}

func (s *service) readsLogs(b *browsertest.Browser) {
	b.Click(`a[aria-label^="Logs of"]`)
	b.WaitText("h1", "Logs of")
	b.WaitText("[role=status]:not(#connection)", "followed as it is written")
	b.Eval(`(() => { const f = document.getElementById("file"); f.value = "stderr"; f.dispatchEvent(new Event("change")); })()`, nil)
	b.WaitText("[role=status]:not(#connection)", "stderr, followed")
	looks(b, "logs")
}

func (s *service) createsAnApp(b *browsertest.Browser) {
	b.Click(`nav a[href="#/new"]`)
	b.WaitText("h1", "New app")
	b.Fill("#field-id", "/made/by hand")
	b.Fill("#field-cmd", "echo made; sleep 1000")
	b.Fill("#field-cpus", "0.1")
	looks(b, "new")
	b.Click("#submit")
	b.WaitText("#json-wrong", "/id")
	looks(b, "new-wrong")
	b.Fill("#field-id", "/made/by-hand")
	b.Click("#submit")
	b.WaitText("h1", "/made/by-hand")
	b.WaitText("main", "1 of 1 running")
	b.Click(`a[aria-label^="Logs of"]`)
	b.WaitText("#log", "made")
}

func (s *service) editsAnApp(b *browsertest.Browser) {
	b.Open("http://" + s.at + "/ui/#/app/made/by-hand")
	b.WaitText("h1", "/made/by-hand")
	b.WaitText("main", "1 of 1 running")
	b.Click("#edit")
	b.WaitText("h1", "Edit /made/by-hand")
	b.Eval(`(() => { const t = document.getElementById("json"); const a = JSON.parse(t.value); a.instances = 2; a.labels = {x: "y"}; t.value = JSON.stringify(a); })()`, nil)
	b.Click("#submit")
	b.WaitText("dialog", "every instance is replaced")
	b.WaitText("dialog", "/labels/x")
	asks(b, "plan")
	b.Click("dialog button.first")
	b.WaitText("h1", "/made/by-hand")
	b.WaitText("main", "2 of 2 running")
	b.WaitText("table", "2 instances of")
	b.Eval(`document.querySelector("[aria-label^='Go back to version']").click()`, nil)
	b.WaitText("dialog", "becomes again what it was")
	b.Click("dialog button.first")
	b.WaitText("main", "1 of 1 running")
}

func (s *service) steersDeployments(b *browsertest.Browser) {
	s.does(http.MethodPut, "/v2/apps//shop/back", `{"constraints": [["hostname", "LIKE", "nowhere"]]}`)
	b.Click(`nav a[href="#/deployments"]`)
	b.WaitText("main", "replace /shop/back")
	b.Wait(`!document.getElementById("deploying").hidden`)
	b.WaitText("main", "to be launched")
	looks(b, "deployments")
	b.Eval(`[...document.querySelectorAll("section")].find((s) => s.innerText.includes("/shop/back")).querySelector("[id^=pause]").click()`, nil)
	b.WaitText("main", "Paused")
	b.Click("[id^=resume]")
	b.Wait(`!document.querySelector("main").innerText.includes("Paused")`)
	b.Eval(`[...document.querySelectorAll("section")].find((s) => s.innerText.includes("/shop/back")).querySelector("[id^=back]").click()`, nil)
	b.WaitText("dialog", "takes back")
	b.Click("dialog button.first")
	b.Wait(`!document.querySelector("main").innerText.includes("/shop/back")`)
}

// usesKeys scales an app without a mouse.
func (s *service) usesKeys(b *browsertest.Browser) {
	b.Open("http://" + s.at + "/ui/#/apps")
	b.WaitText("main", "/shop/back")
	b.TabTo(`a[href="#/app/shop/back"]`)
	b.Press(browsertest.Enter)
	b.WaitText("h1", "/shop/back")
	b.TabTo("#scale")
	b.Press(browsertest.Enter)
	b.WaitText("dialog", "Scale /shop/back")
	b.Press(browsertest.Escape)
	b.Wait(`!document.querySelector("dialog") && document.activeElement.id === "scale"`)
	b.Press(browsertest.Enter)
	b.Fill("#scale-to", "2")
	b.Press(browsertest.Enter)
	b.WaitText("main", "2 of 2 running, 2 healthy")
}

func (s *service) destroysAnApp(b *browsertest.Browser) {
	b.Open("http://" + s.at + "/ui/#/app/made/by-hand")
	b.WaitText("h1", "/made/by-hand")
	b.Click("#destroy")
	b.Fill("#destroy-id", "/made")
	b.Press(browsertest.Enter)
	b.WaitText("dialog .wrong", "That is not /made/by-hand")
	b.Fill("#destroy-id", "/made/by-hand")
	b.Press(browsertest.Enter)
	b.WaitText("#notices", "/made/by-hand is destroyed")
	b.WaitText("main", "5 of 5 apps")
	if text := b.Text("main"); strings.Contains(text, "/made") {
		s.t.Errorf("what was destroyed is listed: %s", text)
	}
}
