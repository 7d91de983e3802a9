package simulate

import (
	"time"
	"unsafe"
)

// reading is what time.Now returns in a process whose clock shows wall, so long
// after it began to count: as in Go, the time between two readings is that
// between their counts, whatever was done to the clock in between; dates, and
// comparisons with times that somebody wrote down, go by the clock.
//
// Package time has no way to make one. The layout is that of its documentation
// of Time, and TestReading holds it to that.
func reading(wall time.Time, count time.Duration) time.Time {
	const (
		counted   = 1 << 63
		from1885  = 2682288000 // seconds, to 1970
		nanoShift = 30
	)
	t := struct {
		wall  uint64
		count int64
		zone  *time.Location
	}{counted | uint64(wall.Unix()+from1885)<<nanoShift | uint64(wall.Nanosecond()), int64(count), nil}
	return *(*time.Time)(unsafe.Pointer(&t))
}
