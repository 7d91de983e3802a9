package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// stable replaces what differs from run to run by fixed values: equal ones by
// equal ones.
type stable struct {
	known []string // what is replaced, and by what, in turn
	ids   map[string]string
	uuids map[string]string
}

func newStable() *stable { return &stable{ids: map[string]string{}, uuids: map[string]string{}} }

// replace has a text replaced wherever it is.
func (s *stable) replace(old, by string) { s.known = append(s.known, old, by) }

var (
	uuid  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	offer = regexp.MustCompile(`-O[0-9]+\b`)
	stamp = regexp.MustCompile(`20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:.]+Z`)
	// anonymous is the name of an actor that has none.
	anonymous = regexp.MustCompile(`\$[0-9a-f]{8}/`)
	// host is the id of an executor host.
	host = regexp.MustCompile(`\bH[0-9]+-[0-9a-f]{6}\b`)
	// cursor is a place in the stream of events.
	cursor = regexp.MustCompile(`(resume=[0-9a-f-]+-)[0-9]+`)
	// sample is a figure for Prometheus.
	sample = regexp.MustCompile(`(?m)^([a-z_]+(?:\{[^}]*\})?) [-+.0-9a-zA-Z]+$`)
)

// text makes a text stable.
func (s *stable) text(text string) string {
	text = strings.NewReplacer(s.known...).Replace(text)
	text = stamp.ReplaceAllString(text, "2023-11-14T22:13:20Z")
	text = cursor.ReplaceAllString(text, "${1}12")
	text = host.ReplaceAllString(text, "H1-4a5b6c")
	text = anonymous.ReplaceAllString(text, "$$00000000/")
	text = uuid.ReplaceAllStringFunc(text, func(id string) string {
		if strings.HasPrefix(id, fixedUUID) {
			return id // it is known, and was replaced
		}
		return numbered(s.uuids, id, fixedUUID+"%012d")
	})
	return offer.ReplaceAllStringFunc(text, func(id string) string { return numbered(s.ids, id, "-O%d") })
}

// figures makes a text of samples stable.
func (s *stable) figures(text string) string { return sample.ReplaceAllString(s.text(text), "$1 1") }

// numbered is the fixed value of an id, by the order in which ids are met.
func numbered(known map[string]string, id, format string) string {
	if known[id] == "" {
		known[id] = fmt.Sprintf(format, len(known)+1)
	}
	return known[id]
}

// fixedUUID is how those of the page begin.
const fixedUUID = "00000000-0000-4000-8000-"

// What moments, figures and ids of 16 bytes are on the page.
const (
	moment   = 1700000000
	aFigure  = "1.5"
	aCount   = "15"
	aProcess = "4242"
	sixteen  = `"AAAAAAAAQACAAAAAAAAAAQ=="`
)

var (
	measured = regexp.MustCompile(`((^|system/)cpus_total|_secs|(^|_)seconds|_ms|_ms/.*|_bytes|load_.*|event_queue.*|processes|threads|messages_.*|heartbeat.*|calls.*|allocation_run.*|/path_.*|handled|watching|watched)$`)
	left     = regexp.MustCompile(`^((mean|p95|peak)_(allocated|used)|slack|covers_secs)$`) // also when it is nothing
	counted  = regexp.MustCompile(`(pid|executor_pid)$`)
)

// tree makes a document stable.
func (s *stable) tree(t *tree, key string) {
	t.drop("longest_handler") // which only some actors have
	if t.open == '[' && (key == "dead_letters" || key == "unhandled") {
		t.children = nil // there may be some
	}
	for i, child := range t.children {
		inner := key
		if t.open == '{' {
			t.keys[i] = s.text(t.keys[i])
			inner = t.keys[i]
		}
		if inner == "value" && key == "uuid" {
			inner = key
		}
		if name := t.member("name"); inner == "value" && name != nil { // a metric
			inner = name.string()
		}
		s.tree(child, inner)
	}
	if t.open == 0 {
		t.text = s.literal(t.text, key)
	}
}

func (s *stable) literal(text, key string) string {
	switch {
	case strings.HasPrefix(text, `"`):
		switch {
		case strings.HasSuffix(key, "uuid"):
			return sixteen
		case key == "cursor":
			return `"` + strings.TrimPrefix(s.text("resume="+strings.Trim(text, `"`)), "resume=") + `"`
		case key == "user", key == "uid", key == "gid":
			return `"root"`
		}
		return s.text(text)
	case key == "port", text == "true", text == "false", text == "null":
		return s.text(text)
	case key == "queued_bytes": // what happens to be under way
		return "0"
	case counted.MatchString(key):
		return aProcess
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return text
	case n > 1.5e18:
		return strconv.Itoa(moment * 1000000000)
	case n > 1.5e9 && n < 2.5e9 && strings.Contains(text, "."):
		return strconv.Itoa(moment) + ".0"
	case n > 1.5e9 && n < 2.5e9 && !measured.MatchString(key):
		return strconv.Itoa(moment)
	case left.MatchString(key):
		return aFigure
	case key == "size" && n > 100: // that of a log
		return aCount
	case n == 0 || !measured.MatchString(key) || strings.HasSuffix(key, "_interval_seconds"):
		return text
	case strings.Contains(text, "."):
		return aFigure
	default:
		return aCount
	}
}
