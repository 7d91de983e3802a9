package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

const virtual = "/frameworks/F/executors/E/runs/latest"

// sandbox is an attached folder with files of every kind, beside a secret
// that must stay unreachable.
func sandbox(t *testing.T) *Attached {
	t.Helper()
	outer := t.TempDir()
	inner := filepath.Join(outer, "sandbox")
	must(t, os.MkdirAll(filepath.Join(inner, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(outer, "secret"), []byte("secret"), 0o600))
	must(t, os.WriteFile(filepath.Join(inner, "stdout"), []byte("0123456789"), 0o640))
	must(t, os.WriteFile(filepath.Join(inner, "sub", "deep"), []byte("deep"), 0o644))
	must(t, os.WriteFile(filepath.Join(inner, "big"), make([]byte, MaxRead+1), 0o644))
	must(t, os.Symlink("../secret", filepath.Join(inner, "relative")))
	must(t, os.Symlink(filepath.Join(outer, "secret"), filepath.Join(inner, "absolute")))
	must(t, os.Symlink("stdout", filepath.Join(inner, "link")))
	must(t, syscall.Mkfifo(filepath.Join(inner, "pipe"), 0o644))
	attached := new(Attached)
	attached.Attach(virtual, inner)
	attached.Attach("/slave/log", filepath.Join(inner, "stdout"))
	return attached
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(attached *Attached, endpoint string, query url.Values) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, endpoint+"?"+query.Encode(), nil)
	attached.Routes()[endpoint].ServeHTTP(recorder, request)
	return recorder
}

func TestRead(t *testing.T) {
	attached := sandbox(t)
	for _, test := range []struct {
		path, offset, length string
		code                 int
		want                 string // of the answer, or in the error
	}{
		{virtual + "/stdout", "", "", 200, `{"data":"","offset":10}`},
		{virtual + "/stdout", "-1", "", 200, `{"data":"","offset":10}`},
		{virtual + "/stdout", "0", "", 200, `{"data":"0123456789","offset":0}`},
		{virtual + "/stdout", "3", "4", 200, `{"data":"3456","offset":3}`},
		{virtual + "/stdout", "99", "", 200, `{"data":"","offset":99}`},
		{virtual + "/stdout", "0", "-1", 200, `{"data":"0123456789","offset":0}`},
		{virtual + "/link", "8", "", 200, `{"data":"89","offset":8}`},
		{virtual + "/sub/../stdout", "8", "", 200, `{"data":"89","offset":8}`},
		{"/slave/log", "8", "", 200, `{"data":"89","offset":8}`},
		{"", "", "", 400, "path is missing"},
		{virtual + "/stdout", "x", "", 400, `offset="x"`},
		{virtual + "/stdout", "-2", "", 400, `offset="-2"`},
		{virtual + "/stdout", "0", "-2", 400, `length="-2"`},
		{virtual, "0", "", 400, "is a folder"},
		{virtual + "/pipe", "0", "", 400, "neither a file nor a folder"},
		{virtual + "/none", "0", "", 404, "none"},
		{"/etc/passwd", "0", "", 404, "/etc/passwd"},
		{"/slave/log/x", "0", "", 404, "/slave/log/x"},
		{virtual + "/../../../../../../etc/passwd", "0", "", 404, "etc/passwd"},
		{virtual + "/relative", "0", "", 404, "relative"},
		{virtual + "/absolute", "0", "", 404, "absolute"},
		{virtual + "/std\x00out", "0", "", 400, `path=`},
	} {
		query := url.Values{"path": {test.path}, "offset": {test.offset}, "length": {test.length}}
		answer := get(attached, "/files/read", query)
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%v: %d %s; want %d %s", query, answer.Code, answer.Body, test.code, test.want)
		}
	}
}

func TestReadIsBounded(t *testing.T) {
	var got struct{ Data string }
	answer := get(sandbox(t), "/files/read", url.Values{"path": {virtual + "/big"}, "offset": {"0"}, "length": {"1000000000"}})
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || len(got.Data) != MaxRead {
		t.Errorf("%d bytes, %v; want %d", len(got.Data), err, MaxRead)
	}
}

func TestBrowse(t *testing.T) {
	attached := sandbox(t)
	var entries []struct {
		Path, Mode, UID, GID string
		Nlink, Size, Mtime   int64
	}
	answer := get(attached, "/files/browse", url.Values{"path": {virtual}})
	must(t, json.Unmarshal(answer.Body.Bytes(), &entries))
	var lines []string
	for _, e := range entries {
		if e.Mtime == 0 || e.Nlink == 0 || e.UID == "" || e.GID == "" {
			t.Errorf("incomplete: %+v", e)
		}
		lines = append(lines, e.Mode+" "+strings.TrimPrefix(e.Path, virtual+"/"))
	}
	want := "lrwxrwxrwx absolute\n-rw-r--r-- big\nlrwxrwxrwx link\nprw-r--r-- pipe\nlrwxrwxrwx relative\n-rw-r----- stdout\ndrwxr-xr-x sub"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for path, code := range map[string]int{virtual + "/none": 404, "": 400, virtual + "/absolute": 404} {
		if answer := get(attached, "/files/browse", url.Values{"path": {path}}); answer.Code != code {
			t.Errorf("path=%q: %d %s; want %d", path, answer.Code, answer.Body, code)
		}
	}
	if answer := get(attached, "/files/browse", url.Values{"path": {virtual + "/stdout"}}); answer.Code != 200 || answer.Body.String() != "[]" {
		t.Errorf("a file: %d %s", answer.Code, answer.Body)
	}
}

func TestDownload(t *testing.T) {
	attached := sandbox(t)
	answer := get(attached, "/files/download", url.Values{"path": {virtual + "/stdout"}})
	if answer.Body.String() != "0123456789" || answer.Header().Get("Content-Disposition") != `attachment; filename="stdout"` {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	request := httptest.NewRequest(http.MethodGet, "/files/download?path="+virtual+"/stdout", nil)
	request.Header.Set("Range", "bytes=7-")
	recorder := httptest.NewRecorder()
	attached.Routes()["/files/download"].ServeHTTP(recorder, request)
	if recorder.Code != http.StatusPartialContent || recorder.Body.String() != "789" {
		t.Errorf("range: %d %s", recorder.Code, recorder.Body)
	}
	if is := answer.Header().Get(FileHeader); is == "" || recorder.Header().Get(FileHeader) != is {
		t.Errorf("the file is %q, then %q", is, recorder.Header().Get(FileHeader))
	}
	for path, code := range map[string]int{virtual: 400, virtual + "/none": 404, virtual + "/relative": 404, "": 400} {
		if answer := get(attached, "/files/download", url.Values{"path": {path}}); answer.Code != code {
			t.Errorf("path=%q: %d %s; want %d", path, answer.Code, answer.Body, code)
		}
	}
}

func TestDetach(t *testing.T) {
	attached := sandbox(t)
	attached.Detach(virtual)
	if answer := get(attached, "/files/browse", url.Values{"path": {virtual}}); answer.Code != http.StatusNotFound {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	var hosts map[string]string
	must(t, json.Unmarshal(get(attached, "/files/debug", nil).Body.Bytes(), &hosts))
	if len(hosts) != 1 || hosts["/slave/log"] == "" {
		t.Errorf("attached: %v", hosts)
	}
}

func TestListTellsWhatBrowseDoes(t *testing.T) {
	attached := sandbox(t)
	infos, err := attached.List(virtual)
	must(t, err)
	var stdout *mesos.FileInfo
	for _, info := range infos {
		if info.GetPath() == virtual+"/stdout" {
			stdout = info
		}
	}
	if stdout.GetSize() != 10 || stdout.GetMode() != syscall.S_IFREG|0o640 || stdout.GetNlink() != 1 || stdout.GetMtime().GetNanoseconds() < 1e18 {
		t.Errorf("stdout is %v", stdout)
	}
	if infos, err := attached.List(virtual + "/stdout"); err != nil || len(infos) > 0 {
		t.Errorf("in a file are %v, %v", infos, err)
	}
	for path, code := range map[string]int{virtual + "/none": 404, "": 400, virtual + "/absolute": 404} {
		if _, err := attached.List(path); err == nil || Status(err) != code {
			t.Errorf("path=%q: %v; want %d", path, err, code)
		}
	}
}

func TestReadOfACall(t *testing.T) {
	attached := sandbox(t)
	for _, test := range []struct {
		offset, length uint64
		want           string
	}{
		{0, 0, ""}, {0, 3, "012"}, {4, math.MaxUint64, "456789"}, {10, 1, ""}, {math.MaxUint64, math.MaxUint64, ""},
	} {
		part, err := attached.Read(virtual+"/stdout", test.offset, test.length)
		if err != nil || string(part.Data) != test.want || part.Size != 10 {
			t.Errorf("from %d, %d bytes: %q of %d, %v", test.offset, test.length, part.Data, part.Size, err)
		}
	}
	if part, err := attached.Read(virtual+"/big", 0, math.MaxUint64); err != nil || len(part.Data) != MaxRead || part.Size != MaxRead+1 {
		t.Errorf("%d bytes of %d, %v", len(part.Data), part.Size, err)
	}
	if _, err := attached.Read(virtual+"/none", 0, 1); err == nil || Status(err) != http.StatusNotFound {
		t.Errorf("a missing file: %v", err)
	}
}

func TestAliasesAndMethods(t *testing.T) {
	attached := sandbox(t)
	answer := get(attached, "/files/read.json", url.Values{"path": {virtual + "/stdout"}, "offset": {"8"}, "jsonp": {"f"}})
	if answer.Body.String() != `f({"data":"89","offset":8});` {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	for endpoint, handler := range attached.Routes() {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, endpoint+"?path="+virtual+"/stdout", nil))
		if recorder.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", endpoint, recorder.Code)
		}
	}
}

// TestNothingElseIsReached tries paths made of every part that has a meaning.
func TestNothingElseIsReached(t *testing.T) {
	attached := sandbox(t)
	parts := rapid.SampledFrom([]string{"..", ".", "", "sub", "stdout", "relative", "absolute", "link", "secret", "sandbox", "%2e%2e", "frameworks"})
	rapid.Check(t, func(t *rapid.T) {
		path := virtual + "/" + strings.Join(rapid.SliceOfN(parts, 0, 8).Draw(t, "parts"), "/")
		if answer := get(attached, "/files/read", url.Values{"path": {path}, "offset": {"0"}}); strings.Contains(answer.Body.String(), `"secret"`) {
			t.Fatal(fmt.Sprint(path, answer.Body))
		}
	})
}

// TestPipesThatCome: a file that becomes a pipe as it is opened holds nobody up.
func TestPipesThatCome(t *testing.T) {
	dir := t.TempDir()
	attached := new(Attached)
	attached.Attach(virtual, dir)
	must(t, os.WriteFile(filepath.Join(dir, "plain"), []byte("x"), 0o644))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	must(t, os.Link(filepath.Join(dir, "plain"), filepath.Join(dir, "file")))
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			for _, name := range []string{"pipe", "plain"} {
				next := filepath.Join(dir, "next")
				if err := errors.Join(os.Link(filepath.Join(dir, name), next), os.Rename(next, filepath.Join(dir, "file"))); err != nil {
					stopped <- err
					return
				}
			}
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
		}
	}()
	for range 2000 {
		get(attached, "/files/read", url.Values{"path": {virtual + "/file"}, "offset": {"0"}})
	}
	close(stop)
	must(t, <-stopped)
}
