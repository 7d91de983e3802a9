package carrier

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

func batchRequest(form Form, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", Records)
	r.Header.Set("Message-Content-Type", form.String())
	return r
}

// readBatch reads at most three calls.
func readBatch(in *Intake, r *http.Request) (list []*scheduler.Call, form Form, err error) {
	form, err = in.ReadBatch(httptest.NewRecorder(), r, 3, func() proto.Message {
		list = append(list, new(scheduler.Call))
		return list[len(list)-1]
	})
	return list, form, err
}

// What was written is read, and nothing stays counted.
func TestBatches(t *testing.T) {
	for _, form := range []Form{JSON, Protobuf} {
		var body []byte
		for _, ty := range []scheduler.Call_Type{scheduler.Call_REVIVE, scheduler.Call_SUPPRESS} {
			frame, err := form.Frame(&scheduler.Call{Type: ty.Enum()})
			if err != nil {
				t.Fatal(err)
			}
			body = append(body, frame...)
		}
		in := new(Intake)
		r := batchRequest(form, body)
		list, got, err := readBatch(in, r)
		if err != nil || got != form || len(list) != 2 || list[1].GetType() != scheduler.Call_SUPPRESS || !IsBatch(r) || in.held.Load() != 0 {
			t.Errorf("%v, %v, %v, %d held", list, got, err, in.held.Load())
		}
		w := httptest.NewRecorder()
		if err := WriteBatch(w, form, list); err != nil || !bytes.Equal(w.Body.Bytes(), body) {
			t.Errorf("%q, %v", w.Body, err)
		}
		if w.Header().Get("Content-Type") != Records || w.Header().Get("Message-Content-Type") != form.String() {
			t.Errorf("%v", w.Header())
		}
	}
	r := batchRequest(JSON, nil)
	r.Method = http.MethodGet
	if _, _, err := readBatch(new(Intake), r); err == nil || IsBatch(httptest.NewRequest(http.MethodPost, "/", nil)) {
		t.Error("GET is no batch, nor is a single call")
	}
	if err := WriteBatch(httptest.NewRecorder(), Protobuf, []*scheduler.APIResult{{}}); err == nil {
		t.Error("what lacks a required field was written")
	}
}

// Records that hold too much are refused before they are made.
func TestBatchesAreCounted(t *testing.T) {
	record := []byte(`{"type":"DECLINE","decline":{"offer_ids":[{},{},{},{},{},{},{},{}]}}`)
	in := &Intake{MaxAll: firstStep + 3000}
	body := recordio.Append(recordio.Append(recordio.Append(nil, record), record), record)
	if _, _, err := readBatch(in, batchRequest(JSON, body)); err == nil || in.held.Load() != 0 {
		t.Errorf("error %v, %d held", err, in.held.Load())
	}
}

// No body makes it panic, read more than there may be, or keep anything counted.
func FuzzReadBatch(f *testing.F) {
	for _, text := range []string{"", "2\n{}", "17\n{\"type\":\"REVIVE\"}", "x", "99999999999999999999\n", "1\n", "\n\n2\n{}2\n{}", "-1\n"} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, asJSON bool) {
		form := Protobuf
		if asJSON {
			form = JSON
		}
		in := new(Intake)
		list, _, err := readBatch(in, batchRequest(form, body))
		var problem *Problem
		if len(list) > 3 || in.held.Load() != 0 {
			t.Errorf("%d calls, %d bytes held", len(list), in.held.Load())
		}
		if err != nil && !errors.As(err, &problem) {
			t.Errorf("%v is no answer", err)
		}
	})
}
