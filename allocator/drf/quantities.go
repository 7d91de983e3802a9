package drf

// Amount is so much of one scalar resource.
type Amount struct {
	Name string
	// Milli counts thousandths.
	Milli int64
}

// Quantities are amounts of distinct names.
type Quantities []Amount
