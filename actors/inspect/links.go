package inspect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// actorName is the actor that answers over links what others answer on their
// port. A question is a StringValue, a path with its query; the answer is a
// BytesValue, a response of HTTP/1.1. Both are types that every program has,
// since the two ends may be of different versions.
const actorName = "inspect"

const (
	// maxAnswer bounds the body of an answer, so that it is one message.
	maxAnswer = 8 << 20
	// maxBusy bounds what is answered at once; a profile may take a minute.
	maxBusy = 4
)

// overLinks answers the systems that this one is linked with.
type overLinks struct {
	of   http.Handler
	busy int
}

// Init is called by the system.
func (o *overLinks) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *wrapperspb.StringValue) { o.asked(c, m.GetValue()) })
}

func (o *overLinks) asked(c *actors.Context, target string) {
	reply, log := c.ReplyLater(), c.Log()
	if o.busy >= maxBusy {
		reply(wrapperspb.Bytes(refusal(http.StatusServiceUnavailable, strconv.Itoa(maxBusy)+" others are being answered").message()))
		return
	}
	o.busy++
	c.Go(func(ctx context.Context) func() {
		answer := o.serve(ctx, log, target).message()
		return func() {
			o.busy--
			reply(wrapperspb.Bytes(answer))
		}
	})
}

// serve is the answer to GET target. A handler that panics ends nothing but its
// answer, as behind a port.
func (o *overLinks) serve(ctx context.Context, log *zap.Logger, target string) (r *recorder) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return refusal(http.StatusBadRequest, err.Error())
	}
	defer func() {
		if p := recover(); p != nil {
			log.Error("A handler panicked", zap.String("target", target), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			r = refusal(http.StatusInternalServerError, "the handler panicked")
		}
	}()
	r = &recorder{head: http.Header{}}
	o.of.ServeHTTP(r, request)
	if r.over {
		return refusal(http.StatusInternalServerError, fmt.Sprintf("the answer is larger than %d MiB", maxAnswer>>20))
	}
	return r
}

// recorder is an http.ResponseWriter that keeps what is written.
type recorder struct {
	head   http.Header
	status int // 0 until it is written
	body   bytes.Buffer
	over   bool // more than maxAnswer was written
}

func refusal(status int, why string) *recorder {
	r := &recorder{head: http.Header{}}
	http.Error(r, why, status)
	return r
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.head }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.over = r.over || r.body.Len()+len(b) > maxAnswer; r.over {
		return 0, http.ErrContentLength
	}
	return r.body.Write(b)
}

// message is the response as HTTP/1.1 has it.
func (r *recorder) message() []byte {
	r.WriteHeader(http.StatusOK)
	size := int64(r.body.Len())
	response := http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: r.head, Body: io.NopCloser(&r.body), ContentLength: size,
	}
	var out bytes.Buffer
	out.Grow(r.body.Len() + 512)
	if err := response.Write(&out); err != nil {
		panic("inspect: a buffer takes what is written: " + err.Error())
	}
	return out.Bytes()
}
