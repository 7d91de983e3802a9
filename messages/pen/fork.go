package pen

// Fork returns a pen for elements of the list that p has open, which somebody
// else may use meanwhile; Join adds what it wrote. It is nil for a pen that
// writes as it goes: there is nowhere to keep it.
func (p *Pen) Fork() *Pen {
	if p.json != nil {
		return nil
	}
	return &Pen{list: p.list}
}

// Join adds what a fork of p wrote, behind what p did.
func (p *Pen) Join(fork *Pen) {
	w := &p.wire
	w.pieces = append(w.pieces, w.b)
	w.aside += len(w.b)
	w.pieces = append(w.pieces, fork.wire.pieces...)
	w.aside += fork.wire.aside
	w.b = fork.wire.b
	if w.err == nil {
		w.err = fork.wire.err
	}
}
