package api

import (
	"fmt"
	"slices"
	"strings"
)

// selector is what labels must be like: all of its terms must hold.
type selector []term

// term is a demand on one label.
type term struct {
	key    string
	not    bool
	values []string // the label has one of them; nil: whatever it is
}

// matches tells whether labels are as the selector demands. A label that is not
// there is different from every value.
func (s selector) matches(labels map[string]string) bool {
	for _, t := range s {
		value, there := labels[t.key]
		holds := there && (t.values == nil || slices.Contains(t.values, value))
		if holds == t.not {
			return false
		}
	}
	return true
}

// parseSelector reads "key", "!key", "key==value", "key!=value", "key in (a, b)" and
// "key notin (a, b)", with commas between, which mean and. A backslash makes the
// next character part of a key or value.
func parseSelector(text string) (selector, error) {
	p := &scanner{rest: text}
	var s selector
	for {
		t, err := p.term()
		if err != nil {
			return nil, fmt.Errorf("label selector %q: %w", text, err)
		}
		s = append(s, t)
		switch p.space(); {
		case p.rest == "":
			return s, nil
		case !p.took(","):
			return nil, fmt.Errorf("label selector %q: expecting a comma before %q", text, p.rest)
		}
	}
}

// scanner reads a selector from left to right.
type scanner struct{ rest string }

func (p *scanner) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// took takes a sign if it comes next, behind spaces.
func (p *scanner) took(sign string) bool {
	p.space()
	after, found := strings.CutPrefix(p.rest, sign)
	if found {
		p.rest = after
	}
	return found
}

func (p *scanner) term() (term, error) {
	t := term{not: p.took("!")}
	var err error
	if t.key, err = p.word("a label"); err != nil || t.not {
		return t, err
	}
	switch {
	case p.took("=="), p.took("="):
		return p.value(t)
	case p.took("!="):
		t.not = true
		return p.value(t)
	case p.tookWord("notin"):
		t.not = true
		return p.set(t)
	case p.tookWord("in"):
		return p.set(t)
	}
	return t, nil
}

// tookWord takes a word that a list follows.
func (p *scanner) tookWord(word string) bool {
	before := p.rest
	if p.took(word) {
		if p.space(); strings.HasPrefix(p.rest, "(") {
			return true
		}
	}
	p.rest = before
	return false
}

func (p *scanner) value(t term) (term, error) {
	v, err := p.word("a value")
	t.values = []string{v}
	return t, err
}

func (p *scanner) set(t term) (term, error) {
	p.took("(")
	for {
		v, err := p.word("a value")
		if err != nil {
			return t, err
		}
		t.values = append(t.values, v)
		switch {
		case p.took(")"):
			return t, nil
		case !p.took(","):
			return t, fmt.Errorf("expecting a comma or ) before %q", p.rest)
		}
	}
}

// word takes a key or a value.
func (p *scanner) word(what string) (string, error) {
	p.space()
	var b strings.Builder
	i := 0
	for ; i < len(p.rest); i++ {
		c := p.rest[i]
		if c == '\\' && i+1 < len(p.rest) {
			i++
			b.WriteByte(p.rest[i])
			continue
		}
		if strings.IndexByte(" \t,=!()", c) >= 0 {
			break
		}
		b.WriteByte(c)
	}
	if i == 0 {
		return "", fmt.Errorf("expecting %s before %q", what, p.rest)
	}
	p.rest = p.rest[i:]
	return b.String(), nil
}
