package remote

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// wire joins an outbox and an inbox as a link does.
type wire struct {
	t     *rapid.T
	out   outbox
	in    inbox
	spare []*block
	whole uint64
	bulk  uint64
	got   map[pair][]string
}

// step moves one batch across.
func (w *wire) step() {
	w.out.fill()
	blocks := w.out.take(w.spare)
	var all []byte
	for _, b := range blocks {
		all = append(all, b.b...)
		b.free()
	}
	w.spare = blocks
	for len(all) > 0 {
		k, payload, n, err := frame.Next(all)
		if err != nil || n == 0 {
			w.t.Fatalf("%d bytes left, n %d, %v", len(all), n, err)
		}
		w.frame(k, payload)
		all = all[n:]
	}
}

func (w *wire) frame(k frame.Kind, payload []byte) {
	var a arrival
	var err error
	complete := false
	switch k {
	case frame.Message, frame.Keyed:
		a, err = w.in.message(k, payload)
		w.whole++
		complete = true
	case frame.Begin:
		err = w.in.begin(payload)
	case frame.Chunk:
		if a, complete, err = w.in.chunk(payload); complete {
			w.bulk++
		}
	case frame.Name, frame.Type:
		err = w.in.define(k, payload)
	case frame.Reset:
		err = w.in.reset(payload)
	case frame.Exited:
		var p frame.Pair
		if p, _, err = frame.ParseExited(payload); err == nil {
			a.target, a.sender, err = w.in.pair(k, p)
			a.body = []byte("exited")
			complete = true
		}
	default:
		w.t.Fatalf("frame %v", k)
	}
	if err != nil {
		w.t.Fatalf("%v: %v", k, err)
	}
	if complete {
		key := pair{a.sender, a.target}
		w.got[key] = append(w.got[key], fmt.Sprintf("%s %v %x", a.typ.name, a.keys, sum(a.body)))
	}
}

func sum(b []byte) string { return fmt.Sprintf("%d:%.8x", len(b), b) }

// TestOrderAndAccount sends random messages and exits, of any length and
// through few or many names, and stops anywhere: per pair all arrives in
// order, and what did not arrive or was not confirmed is drained, once.
func TestOrderAndAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &wire{t: t, in: inbox{most: 1 << 20}, got: map[pair][]string{}}
		want := map[pair][]string{}
		sent, confirmed := 0, 0
		names := rapid.SampledFrom([]int{2, 40, 5000}).Draw(t, "names")
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.step()
			case 1:
				n, err := w.out.confirm(w.whole, w.bulk)
				if err != nil {
					t.Fatal(err)
				}
				confirmed += n
			case 2:
				watched := address.PID{Name: fmt.Sprint("n", rapid.IntRange(1, names).Draw(t, "watched"))}
				w.out.addLink(frame.Exited, address.PID{Name: "watcher"}, watched, "")
				want[pair{watched.Name, "watcher"}] = append(want[pair{watched.Name, "watcher"}], fmt.Sprintf(" %v %x", frame.Keys{}, sum([]byte("exited"))))
			default:
				for range rapid.SampledFrom([]int{1, 1, 1, 1, 1, 60}).Draw(t, "burst") {
					m := drawLetter(t, names, i)
					w.out.add(&m)
					sent++
					k := pair{m.from.Name, m.to.Name}
					want[k] = append(want[k], fmt.Sprintf("%s %v %x", m.typ, m.keys, sum(m.body)))
				}
			}
		}
		for range rapid.SampledFrom([]int{0, 1000}).Draw(t, "last steps") {
			w.step()
		}
		arrived := 0
		for k, got := range w.got {
			for i, line := range got {
				if want[k][i] != line {
					t.Fatalf("%v: message %d is %s, want %s", k, i, line, want[k][i])
				}
			}
			arrived += len(got)
		}
		account(t, w, sent, confirmed)
	})
}

func drawLetter(t *rapid.T, names, i int) letter {
	size := rapid.SampledFrom([]int{0, 1, 10, 100, 300, 5000, 10_000, frame.ChunkSize, frame.ChunkSize + 1, 3 * frame.ChunkSize}).Draw(t, "size")
	from := fmt.Sprint("n", rapid.IntRange(1, names).Draw(t, "from"), strings.Repeat("x", 100))
	to := address.PID{Name: fmt.Sprint("n", rapid.IntRange(1, names).Draw(t, "to")), Address: "host:1"}
	if rapid.Bool().Draw(t, "asks") {
		from = withKey(from, uint64(i+1))
	}
	m := letter{from: address.PID{Name: from, Address: "own:1"}, to: to, typ: "some.Type", body: bytes.Repeat([]byte{byte(i)}, size)}
	m.cutKeys()
	return m
}

// account checks that all that was sent is either confirmed or drained, and
// that only what may have arrived is said so.
func account(t *rapid.T, w *wire, sent, confirmed int) {
	taken := int(w.whole + w.bulk)
	lost, unconfirmed := 0, 0
	for _, d := range w.out.drain() {
		if d.reason == Lost {
			lost++
		} else {
			unconfirmed++
		}
	}
	if confirmed+lost+unconfirmed != sent {
		t.Fatalf("%d sent, %d confirmed, %d lost, %d unconfirmed", sent, confirmed, lost, unconfirmed)
	}
	if confirmed+unconfirmed < taken {
		t.Fatalf("%d arrived, but %d of %d are told as lost", taken, lost, sent)
	}
	if w.out.load != 0 {
		t.Fatalf("load is %d after all", w.out.load)
	}
}

func TestAckOfWhatWasNotSent(t *testing.T) {
	for name, ack := range map[string][2]uint64{"whole": {2, 0}, "bulk": {0, 1}, "backwards": {^uint64(0), 0}} {
		var o outbox
		o.add(&letter{from: address.PID{Name: "x"}, to: address.PID{Name: "y"}, typ: "some.Type"})
		o.take(nil)
		if _, err := o.confirm(ack[0], ack[1]); err == nil || !strings.Contains(err.Error(), "malformed ack frame") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestInboxRefuses(t *testing.T) {
	head := func(target, sender, typ uint32) []byte {
		_, payload, _, err := frame.Next(frame.AppendMessage(nil, frame.Head{Target: target, Sender: sender, Type: typ}, nil))
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	begin := func(size int) []byte {
		_, payload, _, err := frame.Next(frame.AppendBegin(nil, frame.Head{Target: 1, Type: 1}, frame.Keys{}, size))
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	for name, c := range map[string]struct {
		feed func(in *inbox) error
		want string
	}{
		"target": {func(in *inbox) error { _, err := in.message(frame.Message, head(2, 0, 1)); return err }, "target 2: not announced, of 1"},
		"sender": {func(in *inbox) error { _, err := in.message(frame.Message, head(1, 9, 1)); return err }, "sender 9: not announced"},
		"type":   {func(in *inbox) error { _, err := in.message(frame.Message, head(1, 1, 7)); return err }, "type 7: not announced"},
		"pair": {func(in *inbox) error {
			_, _, err := in.pair(frame.Link, frame.Pair{Watcher: 1, Watched: 3})
			return err
		}, "watched 3: not announced"},
		"empty name":  {func(in *inbox) error { return in.define(frame.Name, nil) }, "name is empty"},
		"odd name":    {func(in *inbox) error { return in.define(frame.Name, []byte("a@b")) }, `character '@'`},
		"size":        {func(in *inbox) error { return in.begin(begin(1001)) }, "size 1001: outside 1 to 1000"},
		"begin twice": {func(in *inbox) error { _ = in.begin(begin(500)); return in.begin(begin(500)) }, "500 bytes are missing"},
		"stray chunk": {func(in *inbox) error { _, _, err := in.chunk([]byte("x")); return err }, "length 1: 0 bytes are missing"},
		"long chunk": {func(in *inbox) error {
			_ = in.begin(begin(2))
			_, _, err := in.chunk([]byte("xxx"))
			return err
		}, "length 3: 2 bytes are missing"},
		"too many": {func(in *inbox) error {
			for i := 0; ; i++ {
				if err := in.define(frame.Name, []byte(fmt.Sprint(i))); err != nil {
					return err
				}
			}
		}, "entry 4097"},
		"too long": {func(in *inbox) error {
			for {
				if err := in.define(frame.Name, bytes.Repeat([]byte("n"), 255)); err != nil {
					return err
				}
			}
		}, "131080 bytes with all others"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inbox{most: 1000}
			for _, err := range []error{in.define(frame.Name, []byte("x")), in.define(frame.Type, []byte("some.Type"))} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := c.feed(&in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for name, want := range map[string]struct {
		base string
		key  uint64
	}{
		"plain": {"plain", 0}, "x?1z": {"x", 71}, "x?0": {"x?0", 0}, "x?01": {"x?01", 0}, "?1": {"?1", 0}, "x?": {"x?", 0},
		"x?A": {"x?A", 0}, "a?b?c": {"a?b", 12}, "x?3w5e11264sgsg": {"x?3w5e11264sgsg", 0},
	} {
		base, key := cutKey(name)
		if base != want.base || key != want.key || withKey(base, key) != name {
			t.Errorf("%q is %q and %d, and again %q", name, base, key, withKey(base, key))
		}
	}
}

// FuzzKeys: a name that is cut is put together again as it was.
func FuzzKeys(f *testing.F) {
	for _, name := range []string{"plain", "x?1z", "x?0", "x?01", "?1", "a?b?c", "x?3w5e11264sgsg", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		base, key := cutKey(name)
		if withKey(base, key) != name || base == "" && name != "" {
			t.Errorf("%q is %q and %d, and again %q", name, base, key, withKey(base, key))
		}
	})
}

func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue[int]
		var model []int
		for i, push := range rapid.SliceOfN(rapid.IntRange(-900, 1000), 1, 40).Draw(t, "steps") {
			for range max(push, 0) {
				q.push(i)
				model = append(model, i)
			}
			for range min(max(-push, 0), len(model)) {
				if *q.front() != model[0] || q.pop() != model[0] {
					t.Fatal("not in order")
				}
				model = model[1:]
			}
			if q.len() != len(model) {
				t.Fatalf("%d items, want %d", q.len(), len(model))
			}
		}
	})
}

// TestLedger checks against one entry per message: whatever is settled when,
// costs add up, and what is left comes out in order.
func TestLedger(t *testing.T) {
	routes := []*route{{typ: "a"}, {typ: "b"}}
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		type entry struct {
			route *route
			key   uint64
		}
		var model []entry
		cost := 0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "settle") {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				cost -= l.settle(n)
				model = model[n:]
				continue
			}
			e := entry{rapid.SampledFrom(routes).Draw(t, "route"), rapid.SampledFrom([]uint64{0, 0, 7}).Draw(t, "key")}
			for range rapid.SampledFrom([]int{1, 3, 600}).Draw(t, "count") {
				c := rapid.IntRange(64, 200).Draw(t, "cost")
				l.add(e.route, frame.Keys{Sender: e.key}, c)
				model = append(model, e)
				cost += c
			}
		}
		if l.count != len(model) || cost < 0 || len(model) == 0 && cost != 0 {
			t.Fatalf("%d messages of cost %d, want %d", l.count, cost, len(model))
		}
		taken := rapid.IntRange(0, len(model)).Draw(t, "taken")
		for i, d := range l.drain(nil, taken) {
			if d.typ != model[i].route.typ || (d.from.Name != "") != (model[i].key != 0) || (d.reason == Lost) != (i >= taken) {
				t.Fatalf("message %d is %+v, want %+v", i, d, model[i])
			}
		}
		if l.count != 0 || l.runs.len() != 0 {
			t.Fatalf("%d messages are left", l.count)
		}
	})
}
