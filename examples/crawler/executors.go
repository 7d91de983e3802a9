package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"troupe/executor"
)

// Bounds of what is read of a page, in bytes and links, and of its picture.
const (
	longest, most = 1 << 20, 500
	rows, columns = 8, 32
)

var (
	link   = regexp.MustCompile(`(?i)<a\s[^>]*href\s*=\s*["']?([^"'\s>]+)`)
	title  = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	markup = regexp.MustCompile(`(?is)<(script|style|title)\b.*?</(script|style|title)>|<[^>]*>`)
)

// crawl returns where the links of a page lead.
func crawl(ctx context.Context, t *executor.Task) ([]byte, error) {
	from, text, err := read(ctx, t)
	if err != nil {
		return nil, err
	}
	links := []string{}
	for _, m := range link.FindAllStringSubmatch(text, most) {
		if to, err := from.Parse(html.UnescapeString(m[1])); err == nil && strings.HasPrefix(to.Scheme, "http") {
			to.Fragment = ""
			links = append(links, to.String())
		}
	}
	slices.Sort(links)
	return json.Marshal(slices.Compact(links))
}

// render returns a picture of a page: its title, and how it begins.
func render(ctx context.Context, t *executor.Task) ([]byte, error) {
	from, text, err := read(ctx, t)
	if err != nil {
		return nil, err
	}
	name := from.Path
	if m := title.FindStringSubmatch(text); m != nil {
		name = strings.TrimSpace(m[1])
	}
	lines := []string{""}
	for _, word := range strings.Fields(html.UnescapeString(markup.ReplaceAllString(text, " "))) {
		if last := len(lines) - 1; len(lines[last])+len(word) < columns {
			lines[last] += " " + word
		} else if lines = append(lines, word); len(lines) > rows {
			break
		}
	}
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="150" font-family="monospace" font-size="9">`+
		`<rect width="100%%" height="100%%" fill="white" stroke="grey"/><text x="8" y="20" font-size="13">%s</text>`, html.EscapeString(html.UnescapeString(name)))
	for i, line := range lines {
		fmt.Fprintf(&svg, `<text x="8" y="%d">%s</text>`, 38+12*i, html.EscapeString(strings.TrimSpace(line)))
	}
	svg.WriteString("</svg>\n")
	return []byte(svg.String()), nil
}

// read gets the page that is the data of a task, and where it really is.
func read(ctx context.Context, t *executor.Task) (*url.URL, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(t.Info.GetData()), nil)
	if err != nil {
		return nil, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, longest))
	return response.Request.URL, string(text), err
}
