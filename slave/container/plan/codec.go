package plan

// ErrMalformed is of bytes that no Encode made.
const ErrMalformed = malformed("a plan is malformed")

type malformed string

func (m malformed) Error() string { return string(m) }

// version begins every encoded program, so that an init never reads what another
// build meant otherwise.
const version = 1

// writer appends fields: numbers in base 128, least first, and lists and strings
// after their length.
type writer []byte

func (w *writer) number(n uint64) {
	for n >= 0x80 {
		*w = append(*w, byte(n)|0x80)
		n >>= 7
	}
	*w = append(*w, byte(n))
}

// signed keeps numbers near zero short, below it too.
func (w *writer) signed(n int) { w.number(uint64(n)<<1 ^ uint64(n>>63)) }

func (w *writer) flag(b bool) {
	if b {
		w.number(1)
		return
	}
	w.number(0)
}

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) texts(list []string) {
	w.number(uint64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

// reader takes fields off its front. Once bad it gives zeroes only.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() uint64 {
	r.bad, r.rest = true, nil
	return 0
}

func (r *reader) number() uint64 {
	var n uint64
	for i, b := range r.rest {
		if i == 9 && b > 1 || i > 9 {
			break
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				break // it has a shorter form
			}
			r.rest = r.rest[i+1:]
			return n
		}
	}
	return r.fail()
}

// below is a number of at most limit.
func (r *reader) below(limit uint64) uint64 {
	n := r.number()
	if n > limit {
		return r.fail()
	}
	return n
}

func (r *reader) uint32() uint32 { return uint32(r.below(1<<32 - 1)) }

func (r *reader) signed() int {
	n := r.number()
	return int(n>>1) ^ -int(n&1)
}

func (r *reader) flag() bool { return r.below(1) == 1 }

// count is the length of a list of which each entry takes a byte at least.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		return int(r.fail())
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count()
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) texts() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

// EncodeReport makes a message of a report.
func EncodeReport(r *Report) []byte {
	w := writer{byte(r.Kind), byte(r.Step)}
	w.number(uint64(r.Errno))
	w.number(uint64(r.Status))
	w.flag(r.Left)
	w.text(r.Subject)
	return w
}

// DecodeReport reads what EncodeReport made.
func DecodeReport(b []byte) (*Report, error) {
	if len(b) < 2 {
		return nil, ErrMalformed
	}
	r := reader{rest: b[2:]}
	report := &Report{Kind: Kind(b[0]), Step: Step(b[1]), Errno: r.uint32(), Status: r.uint32(), Left: r.flag(), Subject: r.text()}
	if r.bad || len(r.rest) > 0 {
		return nil, ErrMalformed
	}
	return report, nil
}
