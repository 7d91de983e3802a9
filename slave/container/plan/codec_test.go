package plan

import (
	"bytes"
	"errors"
	"math"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
)

// any fills every field of a Program, so that one that is forgotten in the codec
// shows.
func program(r *rand.Rand) *Program {
	v, ok := quick.Value(reflect.TypeFor[Program](), r)
	if !ok {
		panic("a field of Program cannot be made up")
	}
	p := v.Interface().(Program)
	return &p
}

// normal is what Decode gives: it knows no difference between an empty list and
// none.
func normal(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			normal(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			normal(v.Elem())
		}
	case reflect.Array:
		for i := range v.Len() {
			normal(v.Index(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			normal(v.Index(i))
		}
	}
}

func TestProgramsSurvive(t *testing.T) {
	chance := rand.New(rand.NewSource(7))
	for range 500 {
		p := program(chance)
		got, err := Decode(Encode(p))
		if err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		normal(reflect.ValueOf(p).Elem())
		normal(reflect.ValueOf(got).Elem())
		if !reflect.DeepEqual(p, got) {
			t.Fatalf("%+v became %+v", p, got)
		}
	}
}

func TestEdgesOfNumbers(t *testing.T) {
	low := math.MinInt
	p := &Program{Target: math.MaxInt, Status: -1, UID: math.MaxUint32, Plan: Plan{
		OOMScore: &low, Rlimits: []Rlimit{{Resource: 7, Soft: math.MaxUint64, Hard: 0}},
	}}
	got, err := Decode(Encode(p))
	if err != nil || !reflect.DeepEqual(p, got) {
		t.Errorf("%+v became %+v (%v)", p, got, err)
	}
}

// TestCutProgramsAreRefused wherever they are cut, and so is what is longer.
func TestCutProgramsAreRefused(t *testing.T) {
	whole := Encode(program(rand.New(rand.NewSource(1))))
	for n := range whole {
		if _, err := Decode(whole[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := Decode(append(whole, 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestReportsSurvive(t *testing.T) {
	for _, r := range []Report{
		{Kind: Started},
		{Kind: Failed, Step: StepMount, Errno: 22, Subject: "/a b"},
		{Kind: Exited, Status: 0x89},
		{Kind: Exited, Left: true},
	} {
		b := EncodeReport(&r)
		got, err := DecodeReport(b)
		if err != nil || *got != r {
			t.Errorf("%+v became %+v (%v)", r, got, err)
		}
		for n := range b {
			if got, err := DecodeReport(b[:n]); err == nil {
				t.Errorf("the first %d bytes of %+v are %+v", n, r, got)
			}
		}
	}
}

func TestStepsHaveNames(t *testing.T) {
	for s := StepPlan; s <= StepExec; s++ {
		if strings.Contains(s.String(), "unknown") {
			t.Errorf("step %d has no name", s)
		}
	}
	for _, s := range []Step{0, StepExec + 1, 255} {
		if !strings.Contains(s.String(), "unknown") {
			t.Errorf("step %d is %q", s, s)
		}
	}
}

// FuzzDecode: what is read is written back as the same bytes; nothing else is
// taken, and no input takes memory that it does not bring itself.
func FuzzDecode(f *testing.F) {
	chance := rand.New(rand.NewSource(3))
	for range 20 {
		f.Add(Encode(program(chance)))
	}
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		if again := Encode(p); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// FuzzDecodeReport: as FuzzDecode.
func FuzzDecodeReport(f *testing.F) {
	f.Add(EncodeReport(&Report{Kind: Failed, Step: StepExec, Errno: 2, Subject: "/x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeReport(b)
		if err != nil {
			return
		}
		if again := EncodeReport(r); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// TestPlain holds the list of what takes an init against the fields of Plan.
func TestPlain(t *testing.T) {
	if p := (&Plan{Env: []string{"A=b"}, Dir: "/x"}); !p.Plain() {
		t.Error("an environment takes an init")
	}
	chance := rand.New(rand.NewSource(9))
	for i := range reflect.TypeFor[Plan]().NumField() {
		name := reflect.TypeFor[Plan]().Field(i).Name
		if name == "Env" || name == "Dir" {
			continue
		}
		p := Plan{}
		field := reflect.ValueOf(&p).Elem().Field(i)
		for field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0 {
			v, ok := quick.Value(field.Type(), chance)
			if !ok {
				t.Fatalf("%s cannot be made up", name)
			}
			field.Set(v)
		}
		if p.Plain() {
			t.Errorf("a plan with %s is plain", name)
		}
	}
}
