package match

import (
	"regexp"
	"slices"
	"strings"
)

// Operator says how a constraint judges a value.
type Operator string

// The operators, as they are written; in input, case does not matter.
const (
	// Unique: no other instance has that value.
	Unique Operator = "UNIQUE"
	// Cluster: the given value, or without one that of the first instance.
	Cluster Operator = "CLUSTER"
	// GroupBy: no value has fewer instances.
	GroupBy Operator = "GROUP_BY"
	// Like: all of the value matches a regular expression.
	Like Operator = "LIKE"
	// Unlike: it does not, or there is none.
	Unlike Operator = "UNLIKE"
	// MaxPer: fewer than a number of instances have that value.
	MaxPer Operator = "MAX_PER"
	// Is: exactly that value.
	Is Operator = "IS"
)

// Operators are all there are, in the order in which errors name them.
var Operators = []Operator{Unique, Cluster, GroupBy, Like, Unlike, MaxPer, Is}

// Constraint is one rule. Parse and ParseOne make them; it is immutable, and
// the zero value is of no use.
type Constraint struct {
	field    string
	operator Operator
	value    string
	hasValue bool
	// number is the value of GROUP_BY (0 without one) and MAX_PER.
	number int
	// pattern is that of LIKE and UNLIKE; its matches are the longest.
	pattern *regexp.Regexp
}

// Field is what the constraint is about: a name of an attribute, or one of the
// Field constants, or "hostname".
func (c Constraint) Field() string { return c.field }

// Operator is how it judges.
func (c Constraint) Operator() Operator { return c.operator }

// Value is what it judges by; "" if it has none.
func (c Constraint) Value() string { return c.value }

// Strings is the constraint as Parse reads it, with the operator in capitals.
func (c Constraint) Strings() []string {
	if !c.hasValue {
		return []string{c.field, string(c.operator)}
	}
	return []string{c.field, string(c.operator), c.value}
}

// String prints "rack LIKE a.*".
func (c Constraint) String() string { return strings.Join(c.Strings(), " ") }

// matches tells whether the pattern matches all of a text. Asking for the
// longest match instead of putting anchors around the pattern leaves no way
// for the pattern to get around them.
func (c Constraint) matches(text string) bool {
	at := c.pattern.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text)
}

// Constraints must all hold. Nil is none.
type Constraints []Constraint

// Strings is the list as Parse reads it.
func (cs Constraints) Strings() [][]string {
	var all [][]string
	for _, c := range cs {
		all = append(all, c.Strings())
	}
	return all
}

// Mentions tells whether one of them is about a field. (A framework that stays
// in its master's region unless told otherwise asks for FieldRegion.)
func (cs Constraints) Mentions(field string) bool {
	return slices.ContainsFunc(cs, func(c Constraint) bool { return sameField(c.field, field) })
}

func sameField(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(field string) string {
	if field == plainHostname {
		return FieldHostname
	}
	return field
}
