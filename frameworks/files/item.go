package files

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// serve answers a request, or a part of one that asks for a part.
func (i *item) serve(w http.ResponseWriter, r *http.Request) {
	if i.content != nil {
		http.ServeContent(w, r, "", i.at, bytes.NewReader(i.content))
		return
	}
	f, err := os.Open(i.file)
	if err != nil {
		http.Error(w, i.name+": is not there any more", http.StatusGone)
		return
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.Error(w, i.name+": is no file any more", http.StatusGone)
		return
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// patient gives a client time for each piece, but not for ever.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (p patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(pieceWait)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

// pack makes an archive of a folder, in a temporary file.
func pack(folder string) (name string, err error) {
	out, err := os.CreateTemp("", "troupe-files-")
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	zip := gzip.NewWriter(out)
	archive := tar.NewWriter(zip)
	if err := fill(archive, folder); err != nil {
		return "", err
	}
	return out.Name(), errors.Join(archive.Close(), zip.Close())
}

// fill walks in the order of names, so that equal folders make equal archives.
func fill(archive *tar.Writer, folder string) error {
	return filepath.WalkDir(folder, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(folder, at)
		if err != nil {
			return err
		}
		if inside == "." {
			if !d.IsDir() {
				return fmt.Errorf("%s is no folder", folder)
			}
			return nil
		}
		return add(archive, at, inside)
	})
}

func add(archive *tar.Writer, at, inside string) error {
	info, err := os.Lstat(at)
	if err != nil {
		return err
	}
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		if link, err = os.Readlink(at); err != nil {
			return err
		}
	case !mode.IsRegular() && !mode.IsDir():
		return fmt.Errorf("%s is neither file, folder nor link", at)
	}
	head, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	head.Name = filepath.ToSlash(inside)
	head.ModTime = info.ModTime().Truncate(time.Second) // else it would be rounded, and may be yet to come
	head.Uid, head.Gid, head.Uname, head.Gname = 0, 0, "", ""
	if err := archive.WriteHeader(head); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	_, err = io.Copy(archive, f)
	return err
}

// Served is what a URL stands for.
type Served struct {
	URL string
	// Name is what it is called in a sandbox.
	Name string
}

// URI is it as a fetcher takes it: as a file, never cached, since the URL is not
// for everybody.
func (s Served) URI() *mesos.CommandInfo_URI {
	return &mesos.CommandInfo_URI{Value: &s.URL, OutputFile: &s.Name, Extract: proto.Bool(false)}
}

// Program is URI of what is to be run.
func (s Served) Program() *mesos.CommandInfo_URI {
	u := s.URI()
	u.Executable = proto.Bool(true)
	return u
}

// Unpacked is URI of an archive that is to be unpacked into the sandbox.
func (s Served) Unpacked() *mesos.CommandInfo_URI {
	return &mesos.CommandInfo_URI{Value: &s.URL, Extract: proto.Bool(true)}
}

// Bring is an Edit of a frameworks.Task that has the agent's fetcher put something
// into the sandbox before the command of the task, or of its executor, runs.
func Bring(what ...*mesos.CommandInfo_URI) func(*mesos.TaskInfo) {
	return func(t *mesos.TaskInfo) {
		command := t.GetCommand()
		if command == nil {
			command = t.GetExecutor().GetCommand()
		}
		if command != nil {
			command.Uris = append(command.Uris, what...)
		}
	}
}

// Fetch is a line of shell that puts it where the shell is, for agents that have no
// fetcher: unpacked if it is a Folder, executable otherwise. It needs curl or wget
// there, and tar, and fails as these do:
//
//	Command: worker.Fetch() + " && ./worker --once"
func (s Served) Fetch() string {
	name, from := quoted("./"+s.Name), quoted(s.URL)
	line := fmt.Sprintf("{ curl -fsS --retry 5 -o %[1]s %[2]s || wget -q -O %[1]s %[2]s; }", name, from)
	if strings.HasSuffix(s.Name, ".tar.gz") {
		return line + " && tar -xzf " + name
	}
	return line + " && chmod +x " + name
}

// quoted is text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
