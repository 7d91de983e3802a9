package resources

// Take finds want in r by name, kind and revocability, whatever r's resources
// are reserved for or given to; what is reserved goes first. Volumes and whole
// disks are left alone. It returns what it took, as r has it, and what is left
// of r; ok is false, and nothing is taken, when r has too little.
func (r Resources) Take(want Resources) (taken, rest Resources, ok bool) {
	left := r
	for _, w := range want.entries {
		need := w.value
		for _, reserved := range []bool{true, false} {
			for _, e := range left.entries {
				if need.isEmpty() || !e.fits(w) || (len(e.form.Reservations) > 0) != reserved {
					continue
				}
				part := e
				part.value = need.common(e.value)
				need = need.minus(part.value)
				if !part.isEmpty() {
					piece := Resources{[]Entry{part}}
					taken, left = taken.Add(piece), left.Without(piece)
				}
			}
		}
		if !need.isEmpty() {
			return Resources{}, r, false
		}
	}
	return taken, left, true
}
