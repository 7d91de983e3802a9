// Package browsertest has pages looked at and used by a real browser: headless
// Chromium, which tools/test installs. Tests of pages import it, and nothing else.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keys, for Press.
const (
	Tab    = kb.Tab
	Enter  = kb.Enter
	Escape = kb.Escape
	Space  = " "
)

// patience is for one step, on a machine that is busy.
const patience = 60 * time.Second

// Browser is one tab. Its methods fail the test when what they ask for does not
// come about within a minute.
type Browser struct {
	t    testing.TB
	ctx  context.Context
	said *complaints
}

// New starts a browser of a size in pixels, which ends with the test. Whatever the
// page throws, or complains of on its console, fails the test, unless it is of a
// request that was answered with an error.
func New(t testing.TB, width, height int) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("pages are tested in Chromium, which tools/test installs: %v", err)
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(width, height),
		chromedp.Env("TZ=UTC", "LANG=en_US.UTF-8"), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
	)
	ctx, leave := chromedp.NewContext(allocator)
	b := &Browser{t: t, ctx: ctx, said: &complaints{}}
	t.Cleanup(func() {
		leave()
		end()
		chromedp.FromContext(ctx).Allocator.Wait() // it writes to its folder until then
		for _, text := range b.said.all() {
			t.Errorf("the page complains: %s", text)
		}
	})
	// The context that starts the browser must live as long as that.
	if err := chromedp.Listen(ctx, b.said.hear); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(int64(width), int64(height)))
	return b
}

func (b *Browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v; the page shows:\n%s", err, b.shown())
	}
}

// shown is all the text there is, for messages.
func (b *Browser) shown() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return err.Error()
	}
	return text
}

// Open goes to a page and waits until it is loaded.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// Dark has the page shown to somebody who prefers dark colours, or light ones.
func (b *Browser) Dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Click clicks with the mouse on what a CSS selector finds, once it is visible.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, quoted(selector)))
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// Fill empties a field and types a text.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, quoted(selector)))
	b.Eval(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.focus(); e.select(); })()`, quoted(selector)), nil)
	if text == "" {
		text = kb.Delete
	}
	b.Press(text)
}

// Press presses keys one after the other, wherever the focus is; a text is typed.
func (b *Browser) Press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// TabTo presses the tab key until the focus is on what the selector finds. A way of
// more than 200 presses fails the test: nobody would go it.
func (b *Browser) TabTo(selector string) {
	b.t.Helper()
	for range 200 {
		b.Press(Tab)
		var there bool
		b.Eval(fmt.Sprintf(`document.activeElement?.matches(%s) ?? false`, quoted(selector)), &there)
		if there {
			return
		}
	}
	b.t.Fatalf("no way by the tab key to %s; the page shows:\n%s", selector, b.shown())
}

// Eval evaluates JavaScript, and decodes what it is into a pointer, unless that is
// nil.
func (b *Browser) Eval(expression string, into any) {
	b.t.Helper()
	if err := b.eval(expression, into); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

func (b *Browser) eval(expression string, into any) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`JSON.stringify((%s) ?? null)`, expression)))
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal([]byte(text), into)
}

// Wait waits until a JavaScript expression is true.
func (b *Browser) Wait(expression string) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		var ok bool
		// While a page is loaded there is nowhere to evaluate anything.
		err := b.eval(fmt.Sprintf(`Boolean(%s)`, expression), &ok)
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it does not come about that %s (%v); the page shows:\n%s", expression, err, b.shown())
		}
	}
}

// WaitText waits until what the selector finds has a text in it.
func (b *Browser) WaitText(selector, text string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, quoted(selector), quoted(text)))
}

// Text is the text that what the selector finds shows.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	var text *string
	b.Eval(fmt.Sprintf(`document.querySelector(%s)?.innerText`, quoted(selector)), &text)
	if text == nil {
		b.t.Fatalf("there is no %s; the page shows:\n%s", selector, b.shown())
	}
	return *text
}

// Picture writes a picture of the whole page to the test's folder of artifacts,
// which go test -artifacts keeps.
func (b *Browser) Picture(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func quoted(text string) string {
	line, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text can always be encoded
	}
	return string(line)
}
