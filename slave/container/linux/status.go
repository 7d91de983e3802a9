package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// ReadStatus reads the wait status that an init has recorded, and says whether there
// is one: a program that runs, or whose init was killed, has none.
func ReadStatus(path string) (status int, ok bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading a wait status: %w", err)
	}
	line, whole := strings.CutSuffix(string(data), "\n")
	if !whole {
		return 0, false, nil // being written when the machine went down
	}
	status, err = strconv.Atoi(line)
	if err != nil || status < 0 || status > 0xffff {
		return 0, false, fmt.Errorf("reading a wait status: %s has %q", path, data)
	}
	return status, true, nil
}
