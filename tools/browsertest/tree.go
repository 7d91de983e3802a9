package browsertest

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// Node is what a screen reader is told of a part of the page.
type Node struct{ Role, Name string }

// nameless are the roles of what is of no use without a name.
var nameless = []string{
	"button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "spinbutton", "switch", "tab",
	"menuitem", "image", "dialog", "table", "navigation", "graphics-document",
}

// Tree is the accessibility tree of the page, in its order, without what screen
// readers skip.
func (b *Browser) Tree() []Node {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	var all []Node
	for _, n := range tree.Nodes {
		if !n.Ignored {
			all = append(all, Node{valueOf(n.Role), valueOf(n.Name)})
		}
	}
	return all
}

func valueOf(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var text string
	if json.Unmarshal(v.Value, &text) != nil {
		return ""
	}
	return text
}

// CheckNames fails the test when what can be used, or has to be told from others,
// has no name. With a dialog open there is nothing but the dialog.
func (b *Browser) CheckNames() []Node {
	b.t.Helper()
	all := b.Tree()
	for i, n := range all {
		if slices.Contains(nameless, n.Role) && n.Name == "" {
			near := all[max(0, i-3):min(len(all), i+3)]
			b.t.Errorf("a %s without a name, near %v", n.Role, near)
		}
	}
	return all
}

// CheckTree is CheckNames, and fails the test when landmarks or headings are missing.
func (b *Browser) CheckTree() {
	b.t.Helper()
	all := b.CheckNames()
	for _, role := range []string{"main", "navigation", "heading"} {
		if !slices.ContainsFunc(all, func(n Node) bool { return n.Role == role }) {
			b.t.Errorf("there is no %s", role)
		}
	}
}

// contrast finds text whose colour is too much like what is behind it, by the rule
// of WCAG 2 for level AA: 4.5 to 1, or 3 to 1 for large text.
const contrast = `(() => {
  const parse = (c) => { const m = /rgba?\(([^)]+)\)/.exec(c); if (!m) return null; const p = m[1].split(/[ ,\/]+/).map(Number); return { r: p[0], g: p[1], b: p[2], a: p[3] ?? 1 }; };
  const over = (f, b) => ({ r: f.r * f.a + b.r * (1 - f.a), g: f.g * f.a + b.g * (1 - f.a), b: f.b * f.a + b.b * (1 - f.a), a: 1 });
  const light = (c) => { const l = [c.r, c.g, c.b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const behind = (e) => { const up = []; for (let at = e; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c && c.a > 0) { up.push(c); if (c.a === 1) break; } }
    return up.reduceRight((b, f) => over(f, b), { r: 255, g: 255, b: 255, a: 1 }); };
  const bad = [];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility() || e.closest("svg") || e.disabled) continue;
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const s = getComputedStyle(e); const b = behind(e); const f = over(parse(s.color), b);
    const [hi, lo] = [light(f), light(b)].sort((x, y) => y - x); const ratio = (hi + 0.05) / (lo + 0.05);
    const size = parseFloat(s.fontSize); const large = size >= 24 || size >= 18.66 && +s.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) bad.push(ratio.toFixed(2) + " " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 40));
  }
  return bad;
})()`

// CheckContrast fails the test when a text is hard to tell from what is behind it.
func (b *Browser) CheckContrast() {
	b.t.Helper()
	var bad []string
	b.Eval(contrast, &bad)
	for _, text := range bad {
		b.t.Errorf("contrast: %s", text)
	}
}
