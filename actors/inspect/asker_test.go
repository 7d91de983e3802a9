package inspect

import (
	"context"
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// silent is an Asker that nobody answers.
type silent struct{}

func (silent) Ask(ctx context.Context, _ actors.PID, _ proto.Message) (proto.Message, error) {
	<-ctx.Done()
	return nil, actors.ErrTimeout
}

// answers is an Asker whose processes, by their addresses, say always the same.
type answers map[string][]byte

func (a answers) Ask(_ context.Context, to actors.PID, _ proto.Message) (proto.Message, error) {
	r := &recorder{head: http.Header{}}
	if _, err := r.Write(a[to.Address]); err != nil {
		return nil, err
	}
	return wrapperspb.Bytes(r.message()), nil
}
