package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"troupe/frameworks/service/app"
)

// UnreadableError is that a text is no JSON, or that values in it are of another
// kind than they must be. Just one of Text and Wrong is set.
type UnreadableError struct {
	Text  string
	Wrong app.Problems
}

// Error tells what is wrong.
func (e *UnreadableError) Error() string {
	if len(e.Wrong) > 0 {
		return "invalid JSON: " + e.Wrong.Error()
	}
	return "invalid JSON: " + e.Text
}

// reading collects what is wrong with a text while it is read.
type reading struct {
	wrong   app.Problems // of another kind than it must be
	invalid app.Problems // cannot mean anything
}

const mostWrong = 1000 // problems of one text

func (r *reading) mistake(path, text string) {
	if len(r.wrong) < mostWrong {
		r.wrong = append(r.wrong, app.Problem{Path: path, Text: text})
	}
}

func (r *reading) refuse(path, text string) {
	if len(r.invalid) < mostWrong {
		r.invalid = append(r.invalid, app.Problem{Path: path, Text: text})
	}
}

// err is what must be answered before anything else; nil if only content can be
// wrong.
func (r *reading) err() error {
	if len(r.wrong) > 0 {
		return &UnreadableError{Wrong: r.wrong}
	}
	return nil
}

// parse reads one JSON value, with numbers as json.Number.
func parse(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &UnreadableError{Text: "No content to map due to end-of-input"}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, &UnreadableError{Text: err.Error()}
	}
	if end := d.InputOffset(); len(bytes.TrimSpace(data[end:])) > 0 {
		return nil, &UnreadableError{Text: fmt.Sprintf("more follows the value, from byte %d", end)}
	}
	return v, nil
}

// object is a JSON object with its path.
type object struct {
	*reading
	path   string
	fields map[string]any
}

// parseObject reads a text that is an object.
func parseObject(data []byte) (object, error) {
	v, err := parse(data)
	if err != nil {
		return object{}, err
	}
	r := &reading{}
	o, _ := r.object("", v)
	return o, r.err()
}

func (r *reading) object(path string, v any) (object, bool) {
	fields, ok := v.(map[string]any)
	if !ok {
		r.mistake(pathOr(path), "error.expected.jsobject")
	}
	return object{r, path, fields}, ok
}

func pathOr(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// has tells whether a key is there and not null.
func (o object) has(key string) bool { return o.fields[key] != nil }

func (o object) at(key string) string { return o.path + "/" + key }

func (o object) text(key string, to *string) {
	if !o.has(key) {
		return
	}
	if s, ok := o.fields[key].(string); ok {
		*to = s
	} else {
		o.mistake(o.at(key), "error.expected.jsstring")
	}
}

func (o object) flag(key string, to *bool) {
	if !o.has(key) {
		return
	}
	if b, ok := o.fields[key].(bool); ok {
		*to = b
	} else {
		o.mistake(o.at(key), "error.expected.jsboolean")
	}
}

func (o object) number(key string, to *float64) {
	if o.has(key) {
		if f, ok := o.float(o.at(key), o.fields[key]); ok {
			*to = f
		}
	}
}

func (r *reading) float(path string, v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		r.mistake(path, "error.expected.jsnumber")
		return 0, false
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		r.mistake(path, "error.expected.jsnumber: "+cut(n.String())+" is out of range")
		return 0, false
	}
	return f, true
}

// cut shortens what a message quotes.
func cut(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

// whole reads an integer, which may have a fraction of zeros.
func (r *reading) whole(path string, v any, most int64) (int64, bool) {
	f, ok := r.float(path, v)
	if !ok {
		return 0, false
	}
	if f != math.Trunc(f) || math.Abs(f) > float64(most) {
		r.mistake(path, "error.expected.int")
		return 0, false
	}
	if n, err := strconv.ParseInt(string(v.(json.Number)), 10, 64); err == nil {
		return n, true
	}
	return int64(f), true
}

func (o object) integer(key string, to *int) {
	if o.has(key) {
		if n, ok := o.whole(o.at(key), o.fields[key], math.MaxInt32); ok {
			*to = int(n)
		}
	}
}

// optional reads an integer that may be unset.
func (o object) optional(key string) *int {
	if !o.has(key) {
		return nil
	}
	n := 0
	o.integer(key, &n)
	return &n
}

// large reads an integer of up to 2^53, which JSON can carry.
func (o object) large(key string, to *int64) {
	if o.has(key) {
		if n, ok := o.whole(o.at(key), o.fields[key], 1<<53); ok {
			*to = n
		}
	}
}

func (o object) seconds(key string, to *time.Duration) {
	if o.has(key) {
		if n, ok := o.whole(o.at(key), o.fields[key], math.MaxInt32); ok {
			*to = time.Duration(n) * time.Second
		}
	}
}

// child reads an object; false if there is none.
func (o object) child(key string) (object, bool) {
	if !o.has(key) {
		return object{}, false
	}
	return o.object(o.at(key), o.fields[key])
}

// list reads an array, and calls each for what is in it; nulls are left out. It
// tells whether there is an array.
func (o object) list(key string, each func(path string, v any)) bool {
	if !o.has(key) {
		return false
	}
	all, ok := o.fields[key].([]any)
	if !ok {
		o.mistake(o.at(key), "error.expected.jsarray")
		return false
	}
	for i, v := range all {
		if v != nil {
			each(fmt.Sprintf("%s(%d)", o.at(key), i), v)
		}
	}
	return true
}

// objects reads an array of objects.
func (o object) objects(key string, each func(object)) bool {
	return o.list(key, func(path string, v any) {
		if c, ok := o.object(path, v); ok {
			each(c)
		}
	})
}

// texts reads an array of texts; nil if there is none.
func (o object) texts(key string, to *[]string) {
	all := []string{}
	found := o.list(key, func(path string, v any) {
		s, ok := v.(string)
		if !ok {
			o.mistake(path, "error.expected.jsstring")
		}
		all = append(all, s)
	})
	if found {
		*to = all
	}
}

// textMap reads an object of texts.
func (o object) textMap(key string, to *map[string]string) {
	c, ok := o.child(key)
	if !ok {
		return
	}
	all := make(map[string]string, len(c.fields))
	for _, k := range c.keys() {
		var s string
		c.text(k, &s)
		if c.has(k) {
			all[k] = s
		}
	}
	*to = all
}

// keys are those of an object in order, so that problems come in order, too.
func (o object) keys() []string {
	keys := make([]string, 0, len(o.fields))
	for k := range o.fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
