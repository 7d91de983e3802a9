package flags

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

var sizes = []struct {
	name string
	unit float64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

// ParseBytes reads a size such as "512MB" or "2GB"; units are powers of 1024.
func ParseBytes(s string) (int64, error) {
	text := strings.TrimSpace(s)
	for _, u := range sizes {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(x) || x < 0 || x*u.unit >= math.MaxInt64 {
			break
		}
		return int64(x * u.unit), nil
	}
	return 0, fmt.Errorf(`size %q is not like "512MB" (B KB MB GB TB)`, s)
}

// FormatBytes writes n in the largest unit that divides it.
func FormatBytes(n int64) string {
	for _, u := range sizes {
		if n != 0 && n%int64(u.unit) == 0 {
			return strconv.FormatInt(n/int64(u.unit), 10) + u.name
		}
	}
	return "0B"
}

// Bytes is a flag's value: a size in bytes.
type Bytes int64

// Set implements pflag.Value.
func (b *Bytes) Set(s string) error {
	v, err := ParseBytes(s)
	*b = Bytes(v)
	return err
}

// String implements pflag.Value.
func (b *Bytes) String() string { return FormatBytes(int64(*b)) }

// Type implements pflag.Value.
func (b *Bytes) Type() string { return "bytes" }
