package nested_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/executor/executortest"
	"troupe/executor/nested"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
)

// taskSpec is that of a task whose output goes to files.
func taskSpec(t *testing.T) program.Spec {
	t.Helper()
	s := program.Spec{Dir: t.TempDir()}
	for _, name := range []string{"stdout", "stderr"} {
		write(t, filepath.Join(s.Dir, name), os.O_CREATE, "before\n")
	}
	return s
}

func write(t *testing.T, path string, flags int, text string) {
	t.Helper()
	f, err := os.OpenFile(path, flags|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// output is what a visitor reads until it has so many bytes.
func (v *visitor) output(n int) (out, errs string) {
	v.r.t.Helper()
	for len(out)+len(errs) < n {
		data := await[*cluster.ContainerOutput](v).GetIo().GetData()
		if data.GetType() == agent.ProcessIO_Data_STDERR {
			errs += string(data.GetData())
		} else {
			out += string(data.GetData())
		}
		v.say(&cluster.ContainerOutputTaken{})
	}
	return out, errs
}

// TestOutputOfTasks that goes to files is had from where the files end, to the end
// of the task: of an executor's whole container, and of one below it.
func TestOutputOfTasks(t *testing.T) {
	for _, name := range []string{"R", "R.task"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := taskSpec(t)
			r.visitor().want(attach("R"), invalid, "no output of its own")
			r.adopt(name, s)
			p := r.launcher.Next(t)
			v := r.visitor()
			v.want(attach(name), done, "")
			v.want(attachInput(name), invalid, "no input")
			write(t, filepath.Join(s.Dir, "stdout"), os.O_APPEND, "out")
			if out, _ := v.output(3); out != "out" {
				t.Errorf("it reads %q", out)
			}
			write(t, filepath.Join(s.Dir, "stderr"), os.O_APPEND, "err")
			if _, errs := v.output(3); errs != "err" {
				t.Errorf("it reads %q of the errors", errs)
			}
			write(t, filepath.Join(s.Dir, "stdout"), os.O_APPEND, "last")
			p.Exit(0)
			if out, _ := v.output(4); out != "last" {
				t.Errorf("it reads %q at last", out)
			}
			if end := await[*cluster.ContainerOutputEnd](v); end.Message != nil {
				t.Errorf("it ends with %v", end)
			}
		})
	}
}

// TestSlowReaderOfFiles holds nobody up, and has all that comes.
func TestSlowReaderOfFiles(t *testing.T) {
	r := newRig(t)
	s := taskSpec(t)
	r.adopt("R", s)
	p := r.launcher.Next(t)
	v := r.visitor()
	v.want(attach("R"), done, "")
	all := strings.Repeat("0123456789abcdef", 64<<10)
	write(t, filepath.Join(s.Dir, "stdout"), os.O_APPEND, all)
	p.Exit(0)
	other := r.visitor()
	other.want(attach("R"), done, "")
	await[*cluster.ContainerOutputEnd](other)
	if out, _ := v.output(len(all)); out != all {
		t.Error("it reads something else than was written")
	}
	await[*cluster.ContainerOutputEnd](v)
}

// TestFileBegunAnew is read from its beginning.
func TestFileBegunAnew(t *testing.T) {
	r := newRig(t)
	s := taskSpec(t)
	r.adopt("R", s)
	r.launcher.Next(t)
	v := r.visitor()
	v.want(attach("R"), done, "")
	write(t, filepath.Join(s.Dir, "stdout"), os.O_TRUNC, "new")
	if out, _ := v.output(3); out != "new" {
		t.Errorf("it reads %q", out)
	}
}

// TestRotatedOutput is read on in the files that follow the one that was there first,
// however many there were since it was looked at.
func TestRotatedOutput(t *testing.T) {
	r := newRig(t)
	s := taskSpec(t)
	r.adopt("R", s)
	p := r.launcher.Next(t)
	v := r.visitor()
	v.want(attach("R"), done, "")
	path := filepath.Join(s.Dir, "stdout")
	write(t, path, os.O_APPEND, "first ")
	for _, text := range []string{"second ", "third ", "fourth "} {
		for n := 3; n > 0; n-- {
			from := path
			if n > 1 {
				from += "." + strconv.Itoa(n-1)
			}
			if err := os.Rename(from, path+"."+strconv.Itoa(n)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		write(t, path, os.O_CREATE, text)
	}
	const want = "first second third fourth "
	if out, _ := v.output(len(want)); out != want {
		t.Errorf("it reads %q", out)
	}
	p.Exit(0)
	await[*cluster.ContainerOutputEnd](v)
}

// TestTerminalWhoseFileIsInTheWay is not waited for.
func TestTerminalWhoseFileIsInTheWay(t *testing.T) {
	l := executortest.NewLauncher()
	for name, put := range map[string]func(at string) error{
		"a pipe": func(at string) error { return syscall.Mkfifo(at, 0o666) },
		"a link": func(at string) error { return os.Symlink("/etc/passwd", at) },
	} {
		dir := t.TempDir()
		if err := put(filepath.Join(dir, "stdout")); err != nil {
			t.Fatal(err)
		}
		if _, err := nested.Start(l, program.Spec{Dir: dir, Terminal: true}); err == nil {
			t.Errorf("%s: it is launched", name)
		}
	}
}

// TestOutputThatIsNoFile is not followed: the task may have put anything there.
func TestOutputThatIsNoFile(t *testing.T) {
	r := newRig(t)
	s := taskSpec(t)
	r.adopt("R", s)
	stdout := filepath.Join(s.Dir, "stdout")
	if err := errors.Join(os.Remove(stdout), os.Symlink("/etc/passwd", stdout)); err != nil {
		t.Fatal(err)
	}
	v := r.visitor()
	v.want(attach("R"), invalid, "stdout")
	if err := errors.Join(os.Remove(stdout), os.Mkdir(stdout, 0o700)); err != nil {
		t.Fatal(err)
	}
	v.want(attach("R"), invalid, "is not a file")
}

func TestReadersOfFilesAndTheirNumber(t *testing.T) {
	r := newRig(t)
	r.adopt("R", taskSpec(t))
	var first *visitor
	for i := range 16 {
		v := r.visitor()
		v.want(attach("R"), done, "")
		if i == 0 {
			first = v
		}
	}
	late := r.visitor()
	late.want(attach("R"), taken, "too many")
	first.leave()
	for answer := taken; answer != done; { // until the first is known to have left
		late.say(&cluster.ContainerCall{Call: attach("R")})
		answer = await[*cluster.ContainerAnswer](late).GetOutcome()
	}
}

// TestTaskOnATerminal is read and written to like any session; its file keeps what
// the terminal showed.
func TestTaskOnATerminal(t *testing.T) {
	for _, name := range []string{"R", "R.task"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := program.OnTerminal(program.Spec{Dir: t.TempDir()}, &mesos.ContainerInfo{
				TtyInfo: &mesos.TTYInfo{WindowSize: &mesos.TTYInfo_WindowSize{Rows: proto.Uint32(4), Columns: proto.Uint32(5)}},
			})
			r.adopt(name, s)
			p := r.launcher.Next(t)
			if !p.Spec.Terminal || p.Spec.Window.GetColumns() != 5 {
				t.Errorf("launched %+v", p.Spec)
			}
			theirs := <-r.launcher.streams
			screen := theirs[1]
			v, typist := r.visitor(), r.visitor()
			v.want(attach(name), done, "")
			typist.want(attachInput(name), done, "")
			typist.say(&cluster.ContainerInput{Io: data("abc\n")})
			if got := await[*cluster.ContainerInputTaken](typist); got.Error != nil {
				t.Errorf("the answer is %v", got)
			}
			line := make([]byte, 10)
			if n, err := screen.Read(line); err != nil || string(line[:n]) != "abc\n" {
				t.Errorf("the program reads %q, %v", line[:n], err)
			}
			if out, _ := v.output(5); out != "abc\r\n" { // the terminal's echo
				t.Errorf("the visitor reads %q", out)
			}
			for _, f := range theirs {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
			p.Exit(0)
			if end := await[*cluster.ContainerOutputEnd](v); end.Message != nil {
				t.Errorf("it ends with %v", end)
			}
			if kept, err := os.ReadFile(filepath.Join(s.Dir, "stdout")); err != nil || string(kept) != "abc\r\n" {
				t.Errorf("the file keeps %q, %v", kept, err)
			}
		})
	}
}

// TestTerminalThatIsNotLaunched leaves nothing open.
func TestTerminalThatIsNotLaunched(t *testing.T) {
	l := executortest.NewLauncher()
	l.Fail(errors.New("no room"))
	_, err := nested.Start(l, program.Spec{Dir: t.TempDir(), Terminal: true})
	if err == nil || err.Error() != "no room" {
		t.Errorf("error %v", err)
	}
	if _, err := nested.Start(l, program.Spec{Dir: "/no/such/folder", Terminal: true}); err == nil || !strings.Contains(err.Error(), "/no/such/folder") {
		t.Errorf("error %v", err)
	}
}
