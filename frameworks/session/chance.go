package session

import "time"

// chance is splitmix64: jitter needs spread, not secrecy, and the same seed
// must give the same session on every machine.
type chance struct{ state uint64 }

func (c *chance) next() uint64 {
	c.state += 0x9e3779b97f4a7c15
	z := c.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a duration in [0, d); 0 when d is not positive.
func (c *chance) below(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(c.next() % uint64(d))
}

// doubled is first doubled n times, at most limit.
func doubled(first, limit time.Duration, n int) time.Duration {
	d := first
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}
