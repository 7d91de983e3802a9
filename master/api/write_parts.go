package api

import (
	"slices"
	"time"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// always are the scalars that a summary has even when there is none of them.
var always = [...]string{"disk", "mem", "gpus", "cpus"}

// alwaysKeys are the keys of always.
var alwaysKeys = func() (keys [len(always)]json.Key) {
	for i, name := range always {
		keys[i] = json.NewKey(name)
	}
	return keys
}()

// writeSum writes a summary of resources: scalars as numbers, ranges and sets
// as text. What is revocable stands apart.
func writeSum(w *json.Writer, r resources.Resources) {
	var amounts [len(always)]resources.Milli
	more := false
	for e := range r.All() {
		if i := slices.Index(always[:], e.Name()); i >= 0 && !e.Revocable() {
			amounts[i] += e.Amount() * resources.Milli(e.Copies())
		} else {
			more = true
		}
	}
	w.BeginObject()
	for i, key := range alwaysKeys {
		w.RawKey(key)
		w.Thousandths(int64(amounts[i]))
	}
	if more {
		writeRest(w, r, true)
	}
	w.EndObject()
}

// writeRest writes the members of a summary, the ones in always only when they
// were not written yet.
func writeRest(w *json.Writer, r resources.Resources, written bool) {
	type name struct {
		text      string
		revocable bool
	}
	seen := make(map[name]bool)
	for e := range r.All() {
		n := name{e.Name(), e.Revocable()}
		if seen[n] || written && !n.revocable && slices.Contains(always[:], n.text) {
			continue
		}
		seen[n] = true
		same := r.Filter(func(o resources.Entry) bool { return o.Name() == n.text && o.Revocable() == n.revocable })
		key := n.text
		if n.revocable {
			key += "_revocable"
		}
		switch e.Kind() {
		case mesos.Value_SCALAR:
			w.Field(key, same.Scalar(n.text).Float())
		case mesos.Value_RANGES:
			w.Field(key, same.Ranges(n.text).String())
		default:
			w.Field(key, same.Set(n.text).String())
		}
	}
}

func reservedFor(r resources.Resources, role string) resources.Resources {
	return r.Filter(func(e resources.Entry) bool { return e.Role() == role })
}

// writeFull writes resources as messages.
func writeFull(w *json.Writer, key string, r resources.Resources) {
	w.Key(key)
	w.BeginArray()
	for _, p := range r.ProtoEndpoint() {
		w.Message(p)
	}
	w.EndArray()
}

// writeAttributes writes attributes by name.
func writeAttributes(w *json.Writer, list []*mesos.Attribute) {
	w.Key("attributes")
	w.BeginObject()
	for _, a := range list {
		if a.GetType() == mesos.Value_SCALAR {
			w.Field(a.GetName(), a.GetScalar().GetValue())
		} else {
			w.Field(a.GetName(), resources.AttributeText(a))
		}
	}
	w.EndObject()
}

// writeLabels writes labels as a list, unless there are none.
func writeLabels(w *json.Writer, labels *mesos.Labels) {
	if labels == nil {
		return
	}
	w.RawKey(keyLabels)
	w.BeginArray()
	for _, l := range labels.GetLabels() {
		w.BeginObject()
		text(w, keyKey, l.GetKey())
		if l.Value != nil {
			text(w, keyValue, l.GetValue())
		}
		w.EndObject()
	}
	w.EndArray()
}

// seconds is a time as the API shows it: 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}

// writeList writes a list under a key.
func writeList[T any](w *json.Writer, key string, list []T, write func(w *json.Writer, item T)) {
	w.Key(key)
	w.BeginArray()
	for _, item := range list {
		write(w, item)
	}
	w.EndArray()
}

func writeNone(w *json.Writer, keys ...string) {
	for _, key := range keys {
		w.Key(key)
		w.BeginArray()
		w.EndArray()
	}
}
