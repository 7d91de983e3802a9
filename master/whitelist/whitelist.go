// Package whitelist reads the file that says of which hosts agents are offered:
// a host name on each line. The package decides nothing; the master's shell
// declares the interface that File fills, and wiring may import it.
package whitelist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"troupe/messages/names"
)

// maxSize bounds the file, in bytes: room for half a million hosts.
const maxSize = 16 << 20

// File is the last good reading of a file. It is not safe for concurrent use.
type File struct {
	path  string
	text  []byte
	hosts map[string]bool
}

// Open reads the file for the first time. Its errors name the file, and the
// line if it is one.
func Open(path string) (*File, error) {
	f := &File{path: path}
	if _, err := f.Read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Hosts are those of the last reading that went well, in lower case; none when
// the file was empty. They are not to be changed.
func (f *File) Hosts() map[string]bool { return f.hosts }

// Read reads the file again, and tells whether Hosts are others. After an error
// they are those from before.
func (f *File) Read() (changed bool, err error) {
	text, err := read(f.path)
	if err != nil {
		return false, fmt.Errorf("read whitelist: %w", err)
	}
	if f.hosts != nil && bytes.Equal(text, f.text) {
		return false, nil
	}
	hosts, err := parse(string(text))
	if err != nil {
		return false, fmt.Errorf("read whitelist: %s: %w", f.path, err)
	}
	f.text, f.hosts = text, hosts
	return true, nil
}

// read returns what a regular file holds: others might never end.
func read(path string) (text []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("%s: is larger than %d bytes", path, maxSize)
	}
	return text, err
}

// parse reads a host name from each line that is not empty.
func parse(text string) (map[string]bool, error) {
	hosts := make(map[string]bool)
	number := 0
	for line := range strings.Lines(text) {
		number++
		host := strings.TrimSpace(line)
		if host == "" {
			continue
		}
		if err := names.CheckMachine(fmt.Sprintf("line %d", number), host, ""); err != nil {
			return nil, err
		}
		hosts[strings.ToLower(host)] = true
	}
	return hosts, nil
}
