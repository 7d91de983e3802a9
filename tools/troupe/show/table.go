package show

import (
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is rows under headings.
type Table struct {
	head []string
	rows [][]string
}

// NewTable returns an empty table.
func NewTable(head ...string) *Table { return &Table{head: head} }

// Add appends a row; its cells may be coloured.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Write prints the table; one without rows prints what empty says instead.
func (t *Table) Write(w io.Writer, empty string) error {
	if len(t.rows) == 0 {
		_, err := io.WriteString(w, empty+"\n")
		return err
	}
	all := append([][]string{t.head}, t.rows...)
	widths := make([]int, len(t.head))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	var text strings.Builder
	for _, row := range all {
		for i, cell := range row {
			text.WriteString(cell)
			if i < len(row)-1 {
				text.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
			}
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// width is a cell's width on the screen: colours take none.
func width(cell string) int {
	n := 0
	for rest := cell; rest != ""; {
		if strings.HasPrefix(rest, escape) {
			if _, after, ok := strings.Cut(rest, "m"); ok {
				rest = after
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(rest)
		rest, n = rest[size:], n+1
	}
	return n
}

// JSON prints v for programs.
func JSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
