// Package mountinfo reads the kernel's table of mounts, /proc/PID/mountinfo; see
// proc(5). Imported by isolators, and by what finds out what a machine has.
package mountinfo

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Mount is a line of the table.
type Mount struct {
	// Point is where it is, absolute.
	Point string
	// Options are the mount's own, such as ro.
	Options []string
	// Shared: what is mounted below it appears in its copies, and the other way around.
	Shared bool
	// Type is that of the file system, and Super are its options.
	Type  string
	Super []string
}

// Read reads the table of this process's mount namespace, in the order of mounting.
func Read() ([]Mount, error) {
	// Of this thread: its namespace may be another than the process's.
	data, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// Parse reads a table. An error has the line.
func Parse(table []byte) ([]Mount, error) {
	var all []Mount
	for line := range bytes.Lines(table) {
		text := strings.TrimSuffix(string(line), "\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		before, after, ok := strings.Cut(text, " - ")
		if !ok {
			return nil, fmt.Errorf("mountinfo: no separator in %q", text)
		}
		head, tail := strings.Fields(before), strings.Fields(after)
		if len(head) < 6 || len(tail) < 1 {
			return nil, fmt.Errorf("mountinfo: too few fields in %q", text)
		}
		m := Mount{Point: unescape(head[4]), Options: strings.Split(head[5], ","), Type: tail[0]}
		for _, option := range head[6:] {
			m.Shared = m.Shared || strings.HasPrefix(option, "shared:")
		}
		if len(tail) > 2 {
			m.Super = strings.Split(tail[2], ",")
		}
		all = append(all, m)
	}
	return all, nil
}

// On is the mount that a path is on, absolute and without symbolic links: of several
// at one point the last, which hides the others. Nil if there is none.
func On(mounts []Mount, path string) *Mount {
	var on *Mount
	for i := range mounts {
		m := &mounts[i]
		inside := m.Point == "/" || path == m.Point || strings.HasPrefix(path, m.Point+"/")
		if inside && (on == nil || len(m.Point) >= len(on.Point)) {
			on = m
		}
	}
	return on
}

// unescape reads the octal numbers that stand for white space and backslashes.
func unescape(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `\`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if len(after) >= 3 {
			if code, err := strconv.ParseUint(after[:3], 8, 8); err == nil {
				b.WriteByte(byte(code))
				text = after[3:]
				continue
			}
		}
		b.WriteByte('\\')
		text = after
	}
}
