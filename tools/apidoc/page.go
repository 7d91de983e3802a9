package main

import (
	"fmt"
	"strings"
	"unicode"
)

// page collects what was asked and answered, by chapters.
type page struct {
	chapters []*chapter
	fixed    *stable
	// served is what the daemons say they serve, for who looks what lacks an example.
	served tables
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
	// of is the request whose answer the records are a part of, when it is shown
	// elsewhere.
	of *request
}

// request is one that is made.
type request struct {
	to      *process
	method  string
	path    string // with the query
	headers []string
	body    string
	lasts   bool   // the answer is a stream
	file    string // that the answer goes to, since it is not text; "": it is shown
	only    string // of a text, the lines that begin so; "": all
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

Every endpoint, call and event of a master and an agent, with a request and what
was answered. ` + "`go run ./tools/apidoc`" + ` writes this page: it starts a master at
` + masterAddress + ` and an agent at ` + agentAddress + `, and makes these requests. A test makes
them again, and finds what has no example. Ids, times, ports and measured figures have
fixed values here. Long lists, objects and texts of answers are cut, which … shows, and
JSON is broken into lines.

## How to try it

` + "`troupe local`" + ` (` + "`go run ./tools/troupe local`" + ` in this repository) starts a cluster at these
addresses. What reads can be pasted as it is; its logs are there with ` + "`--log_dir`" + `. What names
an id needs yours in its place:

| Here | Where yours is |
|---|---|
| ` + "`" + fixedUUID + `000000000000-S0` + "`" + `, an agent | ` + "`GET /slaves`" + `; ` + "`agent_id`" + ` of an offer |
| ` + "`" + fixedUUID + `000000000000-0000` + "`" + `, a framework | the event ` + "`SUBSCRIBED`" + `; ` + "`GET /frameworks`" + ` |
| ` + "`Mesos-Stream-Id`" + ` | the header that answers ` + "`SUBSCRIBE`" + ` |
| ` + "`" + fixedUUID + `000000000000-O1` + "`" + `, an offer | the event ` + "`OFFERS`" + ` |
| another ` + "`" + fixedUUID + `…` + "`" + ` | a container: ` + "`GET /containers`" + ` of the agent |
| ` + "`uuid`" + ` | the event ` + "`UPDATE` or `UPDATE_OPERATION_STATUS`" + ` |

A ` + "`SUBSCRIBE`" + ` goes on until it is interrupted, and the framework with it, after its
` + "`failover_timeout`" + `: give it a terminal of its own, and its ` + "`user`" + ` a name that your
machine knows.

Calls are answered in the form that ` + "`Accept`" + ` prefers: ` + "`application/json`" + ` or
` + "`application/x-protobuf`" + `; ` + "`Content-Type`" + ` says which of the two a call has. Where credentials
are asked for, add ` + "`-u PRINCIPAL:SECRET`" + `; [Security](security.md) says where that is.
`

// render is the whole page, made stable.
func (p *page) render() string {
	var out strings.Builder
	out.WriteString(preface)
	p.contents(&out)
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

// contents lists the chapters and their examples.
func (p *page) contents(out *strings.Builder) {
	seen := anchors{}
	for line := range strings.Lines(preface) {
		if title, heading := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); heading && line[0] == '#' {
			seen.of(strings.TrimSpace(title))
		}
	}
	seen.of("Contents")
	out.WriteString("\n## Contents\n")
	for _, c := range p.chapters {
		fmt.Fprintf(out, "\n- [%s](#%s)", c.title, seen.of(c.title))
		for i, e := range c.entries {
			separator := " ·"
			if i == 0 {
				separator = ":"
			}
			fmt.Fprintf(out, "%s\n  [%s](#%s)", separator, e.title, seen.of(e.title))
		}
	}
	out.WriteString("\n")
}

// anchors are how often each was given.
type anchors map[string]int

// of is what a heading is linked by on GitHub: its words, with - between, and a
// number for one that was there before.
func (a anchors) of(title string) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c == '-', c == '_', unicode.IsLetter(c), unicode.IsDigit(c):
			return unicode.ToLower(c)
		default:
			return -1
		}
	}, title)
	a[name]++
	if n := a[name] - 1; n > 0 {
		return fmt.Sprintf("%s-%d", name, n)
	}
	return name
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
		e.answer.renderBody(out, e.ask, fixed)
		out.WriteString("```\n")
	}
	for _, r := range e.records {
		out.WriteString("\n```json\n")
		fixed.tree(r, "")
		r.print(out, "")
		out.WriteString("\n```\n")
	}
}

func (a *answer) renderBody(out *strings.Builder, ask *request, fixed *stable) {
	if len(a.body) == 0 {
		return
	}
	out.WriteString("\n")
	if ask.file != "" {
		out.WriteString("…\n")
		return
	}
	if t, err := parse(a.body); err == nil && t.open != 0 {
		fixed.tree(t, "")
		t.print(out, "")
		out.WriteString("\n")
		return
	}
	shown := 0
	for line := range strings.SplitSeq(strings.TrimRight(fixed.figures(string(a.body)), "\n"), "\n") {
		if !strings.HasPrefix(line, ask.only) {
			continue
		}
		if shown++; shown > maxLines {
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
	command := "curl"
	switch {
	case r.file != "":
		command += " -D - -o " + r.file
	case r.only != "":
		command += " -s"
	case r.lasts:
		command += " -iN"
	default:
		command += " -i"
	}
	if r.method != "GET" && (r.method != "POST" || r.body == "") {
		command += " -X " + r.method
	}
	command += " " + quoted("http://"+fixed.text(r.to.address+r.path))
	for _, h := range r.headers {
		command += " \\\n  -H " + quoted(fixed.text(h))
	}
	switch body := fixed.text(r.body); {
	case body == "":
	case strings.Contains(r.body, "\n{"): // records
		command += " \\\n  --data-binary " + quoted(body)
	default:
		command += " \\\n  -d " + quoted(r.document(body, fixed))
	}
	if r.only != "" {
		command += " | grep '^" + r.only + "'"
	}
	return command
}

// document is a body in lines, all of it, if it is a document.
func (r *request) document(body string, fixed *stable) string {
	t, err := parse([]byte(r.body))
	if err != nil || t.open == 0 {
		return body
	}
	fixed.tree(t, "")
	var text strings.Builder
	t.write(&text, "  ", whole)
	return text.String()
}

// quoted is a word for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
