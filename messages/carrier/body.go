package carrier

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Body is that of an answer: written as by a Patient, and compressed when it is
// long and the client takes that.
type Body struct {
	client Patient
	gzip   *squeezed // nil for a client that takes none
}

// NewBody begins the body of what r is answered with, before its header is sent;
// what is written first may send it.
func NewBody(w http.ResponseWriter, r *http.Request) *Body {
	b := &Body{client: NewPatient(w)}
	w.Header().Add("Vary", "Accept-Encoding")
	if r.Method != http.MethodHead && takesGzip(r.Header.Values("Accept-Encoding")) {
		b.gzip = &squeezed{out: b.client, header: w.Header()}
	}
	return b
}

// Write implements io.Writer.
func (b *Body) Write(p []byte) (int, error) {
	if b.gzip != nil {
		return b.gzip.Write(p)
	}
	return b.client.Write(p)
}

// Close ends the body: the connection may serve other requests.
func (b *Body) Close() error {
	if b.gzip != nil {
		if err := b.gzip.close(); err != nil {
			return err
		}
	}
	return b.client.Rest()
}

// worthwhile is the size from which an answer is compressed, in bytes.
const worthwhile = 1024

// squeezed compresses what is long enough; it holds back the begin until it
// knows.
type squeezed struct {
	out    io.Writer
	header http.Header
	begin  []byte
	gzip   *gzip.Writer // nil while all is in begin
}

func (s *squeezed) Write(p []byte) (int, error) {
	if s.gzip != nil {
		return s.gzip.Write(p)
	}
	if len(s.begin)+len(p) < worthwhile {
		s.begin = append(s.begin, p...)
		return len(p), nil
	}
	s.header.Set("Content-Encoding", "gzip")
	var err error
	if s.gzip, err = gzip.NewWriterLevel(s.out, gzip.BestSpeed); err != nil {
		return 0, err
	}
	if _, err := s.gzip.Write(s.begin); err != nil {
		return 0, err
	}
	s.begin = nil
	return s.gzip.Write(p)
}

// close writes what is left.
func (s *squeezed) close() error {
	if s.gzip != nil {
		return s.gzip.Close()
	}
	_, err := s.out.Write(s.begin)
	return err
}

// takesGzip reads Accept-Encoding: gzip, or *, unless its weight is zero.
func takesGzip(lists []string) bool {
	takes := false
	for _, coding := range strings.Split(strings.Join(lists, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		weight := 1.0
		if q, given := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q="); given {
			var err error
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				weight = 0
			}
		}
		switch name {
		case "gzip", "x-gzip":
			return weight > 0
		case "*":
			takes = weight > 0
		}
	}
	return takes
}
