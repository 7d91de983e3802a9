package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/schedule"
)

// UnreadableError is that a body is no JSON object. Nothing can be said of its
// fields then.
type UnreadableError struct{ Reason string }

// Error says why.
func (e *UnreadableError) Error() string { return "unreadable JSON: " + e.Reason }

// maxProblems bounds what one answer names: a long list must not come back as a
// longer one.
const maxProblems = 100

// reading collects what is wrong with a body while it is read.
type reading struct {
	problems []plan.Problem
}

func (r *reading) wrong(path, format string, a ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, plan.Problem{Path: path, Text: fmt.Sprintf(format, a...)})
	}
}

func (r *reading) at(path string) bool {
	return slices.ContainsFunc(r.problems, func(p plan.Problem) bool { return p.Path == path })
}

// parse reads one JSON object, and nothing behind it.
func parse(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	switch err := d.Decode(&v); {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &UnreadableError{"the body is empty"}
	case err != nil:
		return nil, &UnreadableError{err.Error()}
	}
	if end := d.InputOffset(); len(bytes.TrimSpace(data[end:])) > 0 {
		return nil, &UnreadableError{fmt.Sprintf("more follows the object, from byte %d", end)}
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, &UnreadableError{"an object is expected, not " + kindOf(v)}
	}
	return fields, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "null"
}

// object is a JSON object at a path. Null is as if a field were not there.
type object struct {
	*reading
	path   string
	fields map[string]any
}

func (o object) in(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

func (o object) text(key string, to *string) {
	switch v := o.fields[key].(type) {
	case nil:
	case string:
		*to = v
	default:
		o.wrong(o.in(key), "a text is expected, not %s", kindOf(v))
	}
}

func (o object) flag(key string, to *bool) {
	switch v := o.fields[key].(type) {
	case nil:
	case bool:
		*to = v
	default:
		o.wrong(o.in(key), "true or false is expected, not %s", kindOf(v))
	}
}

func (o object) number(key string, to *float64) {
	switch v := o.fields[key].(type) {
	case nil:
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			o.wrong(o.in(key), "%.100s is out of range", v)
			return
		}
		*to = f
	default:
		o.wrong(o.in(key), "a number is expected, not %s", kindOf(v))
	}
}

// whole reads an integer, which may have a fraction of zeros.
func (o object) whole(key string, to *int64) {
	n := float64(*to)
	had := len(o.problems)
	o.number(key, &n)
	switch {
	case len(o.problems) > had:
	case n != math.Trunc(n) || math.Abs(n) > 1<<53:
		o.wrong(o.in(key), "a whole number is expected")
	default:
		*to = int64(n)
	}
}

// duration reads an ISO 8601 duration, where an empty one is none, or a number of
// seconds.
func (o object) duration(key string, to *time.Duration) {
	if text, ok := o.fields[key].(string); ok {
		if text == "" {
			return
		}
		d, err := schedule.Duration(text)
		if err != nil {
			o.wrong(o.in(key), "%v", err)
			return
		}
		*to = d
		return
	}
	seconds := to.Seconds()
	had := len(o.problems)
	o.number(key, &seconds)
	switch {
	case len(o.problems) > had:
	case math.Abs(seconds) > math.MaxInt64/float64(2*time.Second):
		o.wrong(o.in(key), "%g seconds are too many", seconds)
	default:
		*to = time.Duration(math.Round(seconds * float64(time.Second)))
	}
}

// list calls each for what is in a list; it tells whether that has anything.
func (o object) list(key string, each func(path string, v any)) bool {
	switch v := o.fields[key].(type) {
	case nil:
		return false
	case []any:
		for i, one := range v {
			each(fmt.Sprintf("%s[%d]", o.in(key), i), one)
		}
		return len(v) > 0
	default:
		o.wrong(o.in(key), "a list is expected, not %s", kindOf(v))
		return false
	}
}

func (o object) texts(key string, to *[]string) {
	var all []string
	o.list(key, func(path string, v any) {
		text, ok := v.(string)
		if !ok {
			o.wrong(path, "a text is expected, not %s", kindOf(v))
		}
		all = append(all, text)
	})
	*to = all
}

func (o object) objects(key string, each func(object)) bool {
	return o.list(key, func(path string, v any) {
		fields, ok := v.(map[string]any)
		if !ok {
			o.wrong(path, "an object is expected, not %s", kindOf(v))
			return
		}
		each(object{o.reading, path, fields})
	})
}

// child reads an object; false if there is none.
func (o object) child(key string) (object, bool) {
	switch v := o.fields[key].(type) {
	case nil:
		return object{}, false
	case map[string]any:
		return object{o.reading, o.in(key), v}, true
	default:
		o.wrong(o.in(key), "an object is expected, not %s", kindOf(v))
		return object{}, false
	}
}

// pairs reads a list of objects with a name and a value each.
func (o object) pairs(key, name string, to *[]plan.Pair) {
	o.objects(key, func(c object) {
		var p plan.Pair
		c.text(name, &p.Name)
		c.text("value", &p.Value)
		if p.Name == "" && !c.at(c.in(name)) {
			c.wrong(c.in(name), "is missing")
		}
		if strings.ContainsAny(p.Name+p.Value, "\x00") {
			c.wrong(c.path, "a NUL is in it")
		}
		*to = append(*to, p)
	})
}

func (o object) textMap(key string, to *map[string]string) {
	c, ok := o.child(key)
	if !ok {
		return
	}
	all := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(c.fields)) {
		var text string
		c.text(k, &text)
		all[k] = text
	}
	if len(all) > 0 {
		*to = all
	}
}
