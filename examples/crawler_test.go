package examples

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// The graph has every page and link once, and a picture of each page, though
// the executor that reads pages is killed over one of them.
func TestCrawler(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow, killed := make(chan struct{}), atomic.Bool{}
	mux := http.NewServeMux()
	for path, text := range map[string]string{
		"/{$}":  `<title>Start &amp; end</title><script>if (a<b) {}</script><p>It begins &lt;here&gt;.</p><a href="/a">a</a> <A class=x HREF='b#top'>b</A>`,
		"/a":    `<a href="/">back</a> <a href="b">b</a> <a href=/gone>gone</a> <a href="mailto:x@example.com">x</a>`,
		"/b":    `<a href="slow?x=1&amp;y=2">s</a><a href="slow?x=1&amp;y=2">again</a> <a href="http://elsewhere.example/">e</a>`,
		"/slow": `the end`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if path == "/slow" && killed.CompareAndSwap(false, true) {
				close(slow)
				<-r.Context().Done() // who asks is killed
			}
			fmt.Fprint(w, text)
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	out := filepath.Join(w.Dir, "site")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	crawler := w.start("crawler", "-out="+out, server.URL+"/")
	<-slow
	w.kill("-be=")
	if code := crawler.Wait(); code != 0 || !strings.Contains(crawler.Err.String(), "/gone: 404 Not Found") {
		t.Fatalf("it ended with %d: %s", code, crawler.Err)
	}
	text, err := os.ReadFile(filepath.Join(out, "graph.dot"))
	if err != nil {
		t.Fatal(err)
	}
	picture := regexp.MustCompile(`image="(.*?)"`)
	got := strings.ReplaceAll(picture.ReplaceAllString(string(text), "image"), server.URL, "")
	want := `digraph site {
	"/" [shape=none label="" image];
	"/" -> "/a";
	"/" -> "/b";
	"/a" [shape=none label="" image];
	"/a" -> "/";
	"/a" -> "/b";
	"/a" -> "/gone";
	"/b" [shape=none label="" image];
	"/b" -> "/slow?x=1&y=2";
	"/b" -> "http://elsewhere.example/";
	"/gone" [color=red];
	"/slow?x=1&y=2" [shape=none label="" image];
}
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	var words []string
	for _, m := range picture.FindAllStringSubmatch(string(text), -1) {
		words = append(words, svgText(t, filepath.Join(out, m[1])))
	}
	if len(words) != 4 || !slices.Contains(words, "Start & end|It begins <here>. a b") || !slices.Contains(words, "/slow|the end") {
		t.Errorf("pictures of %q", words)
	}
}

// svgText is the text of a picture.
func svgText(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var texts []string
	d := xml.NewDecoder(f)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(texts, "|")
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			texts = append(texts, string(text))
		}
	}
}
