package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Handler serves sandboxes: with ?file=stdout a Piece, from &offset (-1, the
// default, tells the size alone) and of &length bytes at most, and otherwise the
// list of Files, of ?folder if it is given. find says whose sandbox a request
// means; false is 404. Errors are {"message": "…"}: 400 of what is asked, 404 of
// what is not there, 502 of what the agent does not answer.
func (r *Reader) Handler(find func(*http.Request) (Task, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		task, ok := find(request)
		if !ok {
			refuse(w, http.StatusNotFound, "there is no such task, or it was never launched")
			return
		}
		answer, err := r.serve(request, task)
		bad, number := (*BadNameError)(nil), (*strconv.NumError)(nil)
		switch {
		case errors.As(err, &bad), errors.As(err, &number):
			refuse(w, http.StatusBadRequest, err.Error())
		case errors.Is(err, ErrNotFound):
			refuse(w, http.StatusNotFound, err.Error())
		case err != nil:
			refuse(w, http.StatusBadGateway, err.Error())
		default:
			write(w, http.StatusOK, answer)
		}
	})
}

func (r *Reader) serve(request *http.Request, t Task) (any, error) {
	query := request.URL.Query()
	if !query.Has("file") {
		return r.Files(request.Context(), t, query.Get("folder"))
	}
	offset, length := int64(-1), int64(MaxPiece)
	for name, to := range map[string]*int64{"offset": &offset, "length": &length} {
		if !query.Has(name) {
			continue
		}
		n, err := strconv.ParseUint(query.Get(name), 10, 62)
		if err != nil && query.Get(name) != "-1" {
			return nil, fmt.Errorf("%s: %q: must be a number of bytes: %w", name, query.Get(name), err)
		}
		if err == nil {
			*to = int64(n)
		}
	}
	return r.Read(request.Context(), t, query.Get("file"), offset, int(min(length, MaxPiece)))
}

func refuse(w http.ResponseWriter, status int, why string) {
	write(w, status, map[string]string{"message": why})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // nobody is left to tell that the client is gone
}
