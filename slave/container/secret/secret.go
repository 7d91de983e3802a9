// Package secret turns what frameworks say of secrets into their values.
// Imported by the isolators that give secrets to programs, and by wiring.
//
// A value never reaches an error, a log or a state: what is said of a secret is
// its name.
package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// MaxBytes bounds a secret.
const MaxBytes = 1 << 20

// Resolver gives the values of secrets. Safe for concurrent use.
type Resolver interface {
	// Resolve returns the value, which is the caller's. An error names the secret.
	Resolve(ctx context.Context, s *mesos.Secret) ([]byte, error)
}

// Open makes the resolver that --secret_resolver names: values alone for "", a
// Folder for file:///PATH. Errors name the flag.
func Open(setting string) (Resolver, error) {
	if setting == "" {
		return Values{}, nil
	}
	u, err := url.Parse(setting)
	if err != nil || u.Scheme != "file" || u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return nil, field.Invalid("--secret_resolver", setting, "must be file:///PATH of a folder of secrets, or unset")
	}
	return OpenFolder(u.Path)
}

// Values resolves secrets that are given by value, as Mesos does without a
// module.
type Values struct{}

// Resolve refuses references.
func (Values) Resolve(_ context.Context, s *mesos.Secret) ([]byte, error) {
	if s.GetType() == mesos.Secret_REFERENCE {
		return nil, field.Invalid("reference", Name(s), "cannot be resolved: the agent was started without --secret_resolver")
	}
	return value(s)
}

func value(s *mesos.Secret) ([]byte, error) {
	switch {
	case s.GetType() != mesos.Secret_VALUE:
		return nil, field.Invalid("type", s.GetType(), "must be REFERENCE or VALUE")
	case s.Value == nil || s.Reference != nil:
		return nil, field.Invalid("type", s.GetType(), "goes with value alone")
	case len(s.GetValue().GetData()) > MaxBytes:
		return nil, field.Invalid("value.data", nil, "has %d bytes, at most %d can be had", len(s.GetValue().GetData()), MaxBytes)
	}
	return append([]byte(nil), s.GetValue().GetData()...), nil
}

// Name is how a secret is spoken of: its reference's name and key.
func Name(s *mesos.Secret) string {
	if r := s.GetReference(); r != nil {
		if r.Key != nil {
			return r.GetName() + "/" + r.GetKey()
		}
		return r.GetName()
	}
	return "(a value)"
}

// Folder resolves references by files, whose whole content is the value:
//
//	FOLDER/NAME        of a reference without a key
//	FOLDER/NAME/KEY    of one with a key
//
// NAME may have slashes; a leading one is left out. No path leads out of the
// folder. A file is read each time, so that a secret that was changed is had by
// the next container.
type Folder struct{ path string }

// OpenFolder checks that a folder is there, and that none but its owner writes
// to it: whoever does says what programs take for their secrets.
func OpenFolder(path string) (Folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Folder{}, fmt.Errorf("--secret_resolver: %w", err)
	}
	if !info.IsDir() {
		return Folder{}, field.Invalid("--secret_resolver", path, "must be a folder")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return Folder{}, field.Invalid("--secret_resolver", path, "must be its owner's alone to write to (chmod go-w), its mode is %s", info.Mode())
	}
	return Folder{path: path}, nil
}

// Resolve gives values as they are, and reads references.
func (f Folder) Resolve(ctx context.Context, s *mesos.Secret) ([]byte, error) {
	if s.GetType() != mesos.Secret_REFERENCE {
		return value(s)
	}
	if s.Reference == nil || s.Value != nil {
		return nil, field.Invalid("type", s.GetType(), "goes with reference alone")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at, err := where(s.GetReference())
	if err != nil {
		return nil, err
	}
	data, err := f.read(at)
	if err != nil {
		return nil, field.Invalid("reference", Name(s), "%s", f.reason(err))
	}
	return data, nil
}

// where is the file of a reference, relative to the folder.
func where(r *mesos.Secret_Reference) (string, error) {
	at := strings.TrimLeft(r.GetName(), "/")
	if !filepath.IsLocal(at) || filepath.Clean(at) == "." || strings.ContainsRune(at, 0) {
		return "", field.Invalid("reference.name", r.GetName(), "cannot name a secret")
	}
	if r.Key == nil {
		return at, nil
	}
	if key := r.GetKey(); key == "" || key == "." || key == ".." || strings.ContainsAny(key, "/\x00") {
		return "", field.Invalid("reference.key", key, "cannot be the key of secret %s", strconv.Quote(r.GetName()))
	}
	return filepath.Join(at, r.GetKey()), nil
}

// reason says why a file was not read, with the flag that says where it should be.
func (f Folder) reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist in --secret_resolver " + f.path
	case errors.Is(err, fs.ErrPermission):
		return "may not be read in --secret_resolver " + f.path
	}
	return err.Error()
}

var (
	errKind = errors.New("is not a file")
	errSize = fmt.Errorf("has more than %d bytes", MaxBytes)
)

func (f Folder) read(at string) (_ []byte, err error) {
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	file, err := root.OpenFile(at, os.O_RDONLY|syscall.O_NONBLOCK, 0) // nor waits for a pipe's writer
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errKind
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if len(data) > MaxBytes {
		return nil, errSize
	}
	return data, err
}
