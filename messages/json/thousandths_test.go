package json

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Thousandths are written as the double that they are.
func TestThousandths(t *testing.T) {
	check := func(fail func(string, ...any), n int64) {
		if got, want := string(appendThousandths(nil, n)), string(appendFloat(nil, float64(n)/1000, 64)); got != want {
			fail("%d: %s, want %s", n, got, want)
		}
	}
	for _, n := range []int64{0, 1, 10, 100, 999, 1000, 1001, 1010, 1100, -1, -1234, exact - 1, exact, -exact, 1 << 53, math.MaxInt64, math.MinInt64} {
		check(t.Errorf, n)
	}
	rapid.Check(t, func(t *rapid.T) { check(t.Fatalf, rapid.Int64().Draw(t, "any")) })
	rapid.Check(t, func(t *rapid.T) { check(t.Fatalf, rapid.Int64Range(-exact, exact).Draw(t, "exact")) })
}
