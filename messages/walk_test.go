package messages_test

import (
	"io/fs"
	"os"
	"path/filepath"
)

// walk calls do with every file below root that has the extension.
func walk(root, extension string, do func(path string, data []byte)) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != extension {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			do(path, data)
		}
		return err
	})
}
