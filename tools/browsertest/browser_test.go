package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

const sample = `<!doctype html><html lang="en"><title>sample</title><body style="background:#fff"><nav aria-label="Pages"><a href="#x">there</a></nav>
<main><h1>sample</h1><label>field <input id="field" value="old"></label>
<button id="go" onclick="document.getElementById('out').textContent = 'got ' + document.getElementById('field').value">go</button>
<p id="out">nothing yet</p><p style="color:#ccc" id="faint">faint</p><button id="mute"></button></main></body></html>`

func open(t *testing.T) *Browser {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, sample)
	}))
	b := New(t, 600, 400)
	t.Cleanup(server.Close)
	b.Open(server.URL)
	return b
}

func TestMouseAndKeys(t *testing.T) {
	b := open(t)
	b.Fill("#field", "mouse")
	b.Click("#go")
	b.WaitText("#out", "got mouse")
	b.TabTo("#field")
	b.Press("keys", Tab, Enter)
	b.WaitText("#out", "got keys")
	if text := b.Text("h1"); text != "sample" {
		t.Errorf("text: %s", text)
	}
	b.Picture("sample")
}

// What is wrong with a page is found.
func TestFaultsAreFound(t *testing.T) {
	b := open(t)
	tree := b.Tree()
	for _, want := range []Node{{"link", "there"}, {"textbox", "field"}, {"button", "go"}, {"button", ""}} {
		if !slices.Contains(tree, want) {
			t.Errorf("%v is not in %v", want, tree)
		}
	}
	var bad []string
	b.Eval(contrast, &bad)
	if len(bad) != 1 {
		t.Errorf("contrast: %v", bad)
	}
	b.Eval(`setTimeout(() => { console.error("bad"); window.done = true; nothing.at.all; })`, nil)
	b.Wait(`window.done`)
	if said := b.said.all(); len(said) == 0 {
		t.Error("no complaint is heard")
	}
	b.said.mu.Lock()
	b.said.said = nil
	b.said.mu.Unlock()
}
