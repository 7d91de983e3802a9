package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// tree is a JSON value that keeps the order of members.
type tree struct {
	open     byte     // '{' or '['; 0: a literal
	keys     []string // of an object
	children []*tree
	text     string // of a literal, as it was written
}

// parse reads a document.
func parse(data []byte) (*tree, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	t, err := parseNext(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return t, nil
}

func parseNext(d *json.Decoder) (*tree, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		t := &tree{open: byte(v)}
		for d.More() {
			if t.open == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				t.keys = append(t.keys, fmt.Sprint(key))
			}
			child, err := parseNext(d)
			if err != nil {
				return nil, err
			}
			t.children = append(t.children, child)
		}
		_, err := d.Token()
		return t, err
	case json.Number:
		return &tree{text: v.String()}, nil
	case nil:
		return &tree{text: "null"}, nil
	case string:
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return nil, err
		}
		return &tree{text: strings.TrimSpace(text.String())}, nil
	default:
		return &tree{text: fmt.Sprint(v)}, nil
	}
}

// member is that of a path of keys; nil when there is none. In a list it looks
// at the first element.
func (t *tree) member(path ...string) *tree {
	for _, key := range path {
		for t != nil && t.open == '[' {
			if len(t.children) == 0 {
				return nil
			}
			t = t.children[0]
		}
		if t == nil {
			return nil
		}
		var found *tree
		for i, k := range t.keys {
			if k == key {
				found = t.children[i]
			}
		}
		t = found
	}
	return t
}

// drop removes a member, if there is one.
func (t *tree) drop(key string) {
	if i := slices.Index(t.keys, key); i >= 0 {
		t.keys, t.children = slices.Delete(t.keys, i, i+1), slices.Delete(t.children, i, i+1)
	}
}

// string is a literal without its quotes; empty for nil.
func (t *tree) string() string {
	if t == nil {
		return ""
	}
	var s string
	if json.Unmarshal([]byte(t.text), &s) != nil {
		return t.text
	}
	return s
}

// limits are how much of a document is written.
type limits struct{ elements, members, text int }

var (
	// shown are those of answers.
	shown = limits{2, 26, maxText}
	// whole are those of requests.
	whole = limits{math.MaxInt, math.MaxInt, math.MaxInt}
)

const (
	maxText = 160
	maxLine = 96 // that is written without a break
)

// print writes a document in lines. Long lists, objects and strings are cut,
// which an ellipsis shows.
func (t *tree) print(out *strings.Builder, indent string) { t.write(out, indent, shown) }

func (t *tree) write(out *strings.Builder, indent string, most limits) {
	if t.open == 0 {
		out.WriteString(shortened(t.text, most.text))
		return
	}
	if line, ok := t.line(maxLine-len(indent), most.elements); ok {
		out.WriteString(line)
		return
	}
	limit := most.members
	if t.open == '[' {
		limit = most.elements
	}
	out.WriteByte(t.open)
	for i, child := range t.children {
		out.WriteString("\n" + indent + "  ")
		if i == limit {
			out.WriteString("…")
			break
		}
		if t.open == '{' {
			fmt.Fprintf(out, "%q: ", t.keys[i])
		}
		child.write(out, indent+"  ", most)
		if i < len(t.children)-1 {
			out.WriteString(",")
		}
	}
	out.WriteString("\n" + indent)
	out.WriteByte(t.open + 2) // the closing bracket, in ASCII
}

// line is a document in one line, if that is not longer than max, and no list in
// it than elements.
func (t *tree) line(max, elements int) (line string, ok bool) {
	if t.open == 0 {
		return t.text, len(t.text) <= max
	}
	if t.open == '[' && len(t.children) > elements {
		return "", false
	}
	var out strings.Builder
	out.WriteByte(t.open)
	for i, child := range t.children {
		if i > 0 {
			out.WriteString(", ")
		}
		if t.open == '{' {
			fmt.Fprintf(&out, "%q: ", t.keys[i])
		}
		part, ok := child.line(max-out.Len(), elements)
		if !ok {
			return "", false
		}
		out.WriteString(part)
	}
	out.WriteByte(t.open + 2)
	return out.String(), out.Len() <= max
}

func shortened(text string, max int) string {
	if runes := []rune(text); len(runes) > max {
		return string(runes[:max]) + "…\""
	}
	return text
}
