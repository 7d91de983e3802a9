package commands

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"troupe/tools/troupe/flags"
)

const operationsPage = "../../../docs/operations.md"

// block is a code block of a page.
type block struct {
	kind  string
	lines []string
}

func readOperations(t *testing.T) (page string, blocks []block) {
	t.Helper()
	return readPage(t, operationsPage)
}

func readPage(t *testing.T, path string) (page string, blocks []block) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			blocks = append(blocks, block{kind: kind})
			inside = true
		case fence:
			inside = false
		case inside:
			last := &blocks[len(blocks)-1]
			last.lines = append(last.lines, line)
		}
	}
	return string(data), blocks
}

// others are the programs that the page uses beside ours.
var others = []string{"systemctl", "journalctl", "cp", "mv", "echo", "df", "du", "curl"}

// TestSecurityPage shows the same of docs/security.md.
func TestSecurityPage(t *testing.T) {
	_, blocks := readPage(t, "../../../docs/security.md")
	checked := 0
	for _, b := range blocks {
		for _, line := range b.lines {
			if text, typed := strings.CutPrefix(line, "$ "); typed {
				checkTyped(t, text)
				checked++
			}
		}
	}
	if checked < 6 {
		t.Errorf("the page has %d commands", checked)
	}
}

// TestOperationsPage shows that what docs/operations.md tells people to type
// exists: commands, flags, settings of files, and numbers of arguments.
func TestOperationsPage(t *testing.T) {
	_, blocks := readOperations(t)
	checked := 0
	for _, b := range blocks {
		for _, line := range b.lines {
			text, typed := strings.CutPrefix(line, "$ ")
			started, isUnit := strings.CutPrefix(line, "ExecStart=/usr/local/bin/")
			switch {
			case b.kind == "console" && !typed:
				t.Errorf("%q is no command", line)
			case typed:
				checkTyped(t, text)
				checked++
			case isUnit:
				checkTyped(t, started)
				checked++
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d commands were found", checked)
	}
}

func checkTyped(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if words[0] != "troupe" {
		if !slices.Contains(others, words[0]) {
			t.Errorf("%q: %s is none of %v", line, words[0], others)
		}
		return
	}
	root := Root(Streams{})
	c, rest, err := root.Find(words[1:])
	if err != nil || c == root {
		t.Errorf("%q: there is no such command: %v", line, err)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", line, err)
		return
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%q: %v", line, err)
	}
}

// The settings of the page's configuration file are the agent's.
func TestOperationsSettings(t *testing.T) {
	_, blocks := readOperations(t)
	i := slices.IndexFunc(blocks, func(b block) bool { return len(b.lines) > 0 && b.lines[0] == "# /etc/troupe/agent.conf" })
	if i < 0 {
		t.Fatal("the page has no configuration file")
	}
	zk := filepath.Join(t.TempDir(), "zk")
	if err := os.WriteFile(zk, []byte("zk://z1:2181/troupe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.Join(blocks[i].lines, "\n"), "/etc/troupe/zk", zk)
	path := filepath.Join(t.TempDir(), "agent.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Root(Streams{}).Find([]string{"agent"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ParseFlags([]string{"--config=" + path}); err != nil {
		t.Fatal(err)
	}
	if err := flags.Resolve(c.Flags(), func(string) (string, bool) { return "", false }); err != nil {
		t.Error(err)
	}
	if got := c.Flag("master").Value.String(); got != "zk://z1:2181/troupe" {
		t.Errorf("master = %q", got)
	}
}

// What the page quotes of logs, and which figures it tells to look at, is in the
// source.
func TestOperationsQuotes(t *testing.T) {
	page, _ := readOperations(t)
	source, flat := allSource(t), strings.Join(strings.Fields(page), " ")
	row := regexp.MustCompile("(?m)^\\| `([^`]+)`")
	quoted := 0
	_, night, found := strings.Cut(page, "## Three in the morning")
	if !found {
		t.Fatal("the page does not say what to do at night")
	}
	for _, m := range row.FindAllStringSubmatch(night, -1) {
		quoted++
		if !strings.Contains(source, m[1]) {
			t.Errorf("nothing says %q", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`((?:master|registrar|slave)/[a-z_/]+)`").FindAllStringSubmatch(page, -1) {
		quoted++
		key, _ := strings.CutPrefix(m[1], "master/tasks_")
		counter, _ := strings.CutPrefix(m[1], "slave/") // which the agent's are put together of
		if !strings.Contains(source, `"`+counter+`"`) && !strings.Contains(source, `"`+m[1]+`"`) && (key == m[1] || !strings.Contains(source, `"master/tasks_"`)) {
			t.Errorf("there is no figure %q", m[1])
		}
	}
	for _, text := range []string{
		"The journal has no room on its disk", "There is room for the journal again", "not a registry that can be read",
		"the leadership of ", "ZooKeeper cannot be reached; trying on",
	} {
		if !strings.Contains(source, text) || !strings.Contains(flat, text) {
			t.Errorf("page or source lacks %q", text)
		}
	}
	if quoted < 20 {
		t.Errorf("only %d quotes were found", quoted)
	}
}

// allSource is the text of every Go file that is built into the program.
func allSource(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	root := os.DirFS("../../..")
	for _, top := range []string{"master", "slave", "allocator", "tools", "frameworks", "messages"} {
		err := fs.WalkDir(root, top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") {
				return err
			}
			data, err := fs.ReadFile(root, path)
			if err == nil && utf8.Valid(data) {
				all.Write(data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
