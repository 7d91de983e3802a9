package main

import (
	"fmt"
	"strings"
)

// page collects what was asked and answered, by chapters.
type page struct {
	chapters []*chapter
	// shown are the paths and calls that have an example, for who looks what
	// lacks one.
	shown map[string]bool
	fixed *stable
}

// chapter is a part of the page.
type chapter struct {
	title, text string
	entries     []entry
}

// entry is an example.
type entry struct {
	title, text string
	ask         *request // nil: only records are shown
	answer      *answer
	records     []*tree
}

// request is one that is made.
type request struct {
	to      *process
	method  string
	path    string // with the query
	headers []string
	body    string
}

// answer is what came back.
type answer struct {
	status  string
	headers []string // those that are shown
	body    []byte
}

// chapter adds a chapter.
func (p *page) chapter(title, text string) *chapter {
	c := &chapter{title: title, text: text}
	p.chapters = append(p.chapters, c)
	return c
}

// Fixed addresses of the page.
const (
	masterAddress = "127.0.0.1:5050"
	agentAddress  = "127.0.0.1:5051"
)

const preface = `# The HTTP APIs, by example

Every endpoint and every call of a master and an agent, with a request and what
was answered. ` + "`go run ./tools/apidoc`" + ` writes this page: it starts a master at
` + masterAddress + ` and an agent at ` + agentAddress + `, and makes these requests. Ids, times, ports
and measured figures have fixed values here. Long lists, objects and texts are cut,
which … shows, and JSON is broken into lines.

Calls are answered in the form that ` + "`Accept`" + ` prefers: ` + "`application/json`" + ` or
` + "`application/x-protobuf`" + `; ` + "`Content-Type`" + ` says which of the two a call has. All paths
of a master are under ` + "`/master`" + ` as well, and those of an agent under ` + "`/slave(1)`" + `.
Paths that are read with GET have an alias with ` + "`.json`" + ` at the end, take
` + "`?jsonp=FUNCTION`" + `, and are compressed for clients that accept gzip.
`

// render is the whole page, made stable.
func (p *page) render() string {
	var out strings.Builder
	out.WriteString(preface)
	for _, c := range p.chapters {
		fmt.Fprintf(&out, "\n## %s\n", c.title)
		if c.text != "" {
			fmt.Fprintf(&out, "\n%s\n", c.text)
		}
		for _, e := range c.entries {
			e.render(&out, p.fixed)
		}
	}
	return out.String()
}

func (e *entry) render(out *strings.Builder, fixed *stable) {
	fmt.Fprintf(out, "\n### %s\n", e.title)
	if e.text != "" {
		fmt.Fprintf(out, "\n%s\n", e.text)
	}
	if e.ask != nil {
		fmt.Fprintf(out, "\n```sh\n%s\n```\n", e.ask.curl(fixed))
	}
	if e.answer != nil {
		out.WriteString("\n```http\n" + e.answer.status + "\n")
		for _, h := range e.answer.headers {
			out.WriteString(fixed.text(h) + "\n")
		}
		e.answer.renderBody(out, fixed)
		out.WriteString("```\n")
	}
	for _, r := range e.records {
		out.WriteString("\n```json\n")
		fixed.tree(r, "")
		r.print(out, "")
		out.WriteString("\n```\n")
	}
}

func (a *answer) renderBody(out *strings.Builder, fixed *stable) {
	if len(a.body) == 0 {
		return
	}
	out.WriteString("\n")
	if t, err := parse(a.body); err == nil && t.open != 0 {
		fixed.tree(t, "")
		t.print(out, "")
		out.WriteString("\n")
		return
	}
	text := strings.Split(strings.TrimRight(fixed.figures(string(a.body)), "\n"), "\n")
	for i, line := range text {
		if i == maxLines {
			out.WriteString("…\n")
			break
		}
		if runes := []rune(line); len(runes) > maxText {
			line = string(runes[:maxText]) + "…"
		}
		out.WriteString(line + "\n")
	}
}

// maxLines is how many of a text are shown.
const maxLines = 12

// curl is the request as a command.
func (r *request) curl(fixed *stable) string {
	command := "curl -i"
	if r.method != "GET" && (r.method != "POST" || r.body == "") {
		command += " -X " + r.method
	}
	command += " 'http://" + fixed.text(r.to.address+r.path) + "'"
	for _, h := range r.headers {
		command += " \\\n  -H '" + fixed.text(h) + "'"
	}
	if r.body == "" {
		return command
	}
	body := fixed.text(r.body)
	if t, err := parse([]byte(r.body)); err == nil && t.open != 0 {
		fixed.tree(t, "")
		var text strings.Builder
		t.print(&text, "  ")
		body = text.String()
	}
	data := "-d"
	if strings.Contains(r.body, "\n{") { // records
		data = "--data-binary"
	}
	return command + " \\\n  " + data + " '" + body + "'"
}
