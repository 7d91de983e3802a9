package legacy

import (
	"compress/gzip"
	"io"
	"net/http"
)

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
