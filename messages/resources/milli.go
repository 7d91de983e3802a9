package resources

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Milli is an amount in thousandths, the precision of every scalar resource.
// Sums saturate at math.MaxInt64, which no checked amount comes near.
type Milli int64

// MaxMilli is the largest amount that one resource may have: every thousandth
// up to it survives the way through a double.
const MaxMilli Milli = 1 << 53

// MilliOf rounds amount to thousandths. It fails for what is no amount: not a
// number, infinite, negative, or above MaxMilli.
func MilliOf(amount float64) (Milli, error) {
	switch {
	case math.IsNaN(amount) || math.IsInf(amount, 0):
		return 0, fmt.Errorf("is not a finite number")
	case amount < 0:
		return 0, fmt.Errorf("is negative")
	}
	m := math.Round(amount * 1000)
	if m > float64(MaxMilli) {
		return 0, fmt.Errorf("is above %s", MaxMilli)
	}
	return Milli(m), nil
}

// Float returns the amount in units.
func (m Milli) Float() float64 { return float64(m) / 1000 }

// String prints the amount in units with no more decimals than it has.
func (m Milli) String() string {
	sign, abs := "", uint64(m)
	if m < 0 {
		sign, abs = "-", -abs
	}
	text := sign + strconv.FormatUint(abs/1000, 10)
	if rest := abs % 1000; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%03d", rest), "0")
	}
	return text
}

// plus saturates at both ends.
func (m Milli) plus(n Milli) Milli {
	sum := m + n
	switch {
	case m > 0 && n > 0 && sum < 0:
		return math.MaxInt64
	case m < 0 && n < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// times saturates; neither m nor n is negative.
func (m Milli) times(n int) Milli {
	if n > 0 && m > math.MaxInt64/Milli(n) {
		return math.MaxInt64
	}
	return m * Milli(n)
}
