// Package constraints tells which agents a framework wants offers of, by the
// offer constraints of its subscription. Masters check them, allocators heed
// them; anything may import it.
package constraints

import (
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// maxProgram bounds a regular expression, in instructions, so that a match
// costs little, whoever wrote it.
const maxProgram = 100

// Agent is what conditions look at.
type Agent struct {
	Hostname   string
	Attributes []*mesos.Attribute
	Domain     *mesos.DomainInfo // may be nil
}

// AgentOf is the part of an agent's info that conditions look at.
func AgentOf(info *mesos.AgentInfo) Agent {
	return Agent{info.GetHostname(), info.GetAttributes(), info.GetDomain()}
}

// Role is what a framework wants in one role: agents for which any group holds.
// The zero Role wants all.
type Role struct {
	groups []group
}

// group holds when all its conditions do.
type group []condition

// condition is about one thing that an agent says of itself.
type condition struct {
	subject func(Agent) subject
	holds   func(subject) bool
}

// subject is what a condition looks at.
type subject struct {
	there bool
	// What is not text fits every text.
	isText bool
	text   string
}

// Compile reads constraints; the result has what each role that they name
// wants. An error names the field, from "role_constraints" on.
func Compile(c *scheduler.OfferConstraints) (map[string]Role, error) {
	roles := make(map[string]Role, len(c.GetRoleConstraints()))
	for _, name := range slices.Sorted(maps.Keys(c.GetRoleConstraints())) {
		r, err := compileRole(c.GetRoleConstraints()[name])
		if err != nil {
			return nil, field.In("role_constraints["+name+"]", err)
		}
		roles[name] = r
	}
	return roles, nil
}

func compileRole(c *scheduler.OfferConstraints_RoleConstraints) (Role, error) {
	if len(c.GetGroups()) == 0 {
		return Role{}, field.Invalid("groups", nil, "must not be empty")
	}
	var r Role
	for i, g := range c.GetGroups() {
		if len(g.GetAttributeConstraints()) == 0 {
			return Role{}, field.At("groups", i, field.Invalid("attribute_constraints", nil, "must not be empty"))
		}
		var all group
		for j, one := range g.GetAttributeConstraints() {
			compiled, err := compileCondition(one)
			if err != nil {
				return Role{}, field.At("groups", i, field.At("attribute_constraints", j, err))
			}
			all = append(all, compiled)
		}
		r.groups = append(r.groups, all)
	}
	return r, nil
}

func compileCondition(c *scheduler.AttributeConstraint) (condition, error) {
	look, err := compileSelector(c.GetSelector())
	if err != nil {
		return condition{}, field.In("selector", err)
	}
	holds, err := compilePredicate(c.GetPredicate())
	return condition{look, holds}, field.In("predicate", err)
}

func compileSelector(s *scheduler.AttributeConstraint_Selector) (func(Agent) subject, error) {
	switch by := s.GetSelector().(type) {
	case *scheduler.AttributeConstraint_Selector_AttributeName:
		return attribute(by.AttributeName), nil
	case *scheduler.AttributeConstraint_Selector_PseudoattributeType_:
		if look := pseudoattributes[by.PseudoattributeType]; look != nil {
			return look, nil
		}
		return nil, field.Invalid("pseudoattribute_type", by.PseudoattributeType.String(), "is not known")
	}
	return nil, field.Missing("")
}

// attribute looks at the first of that name.
func attribute(name string) func(Agent) subject {
	return func(a Agent) subject {
		for _, x := range a.Attributes {
			if x.GetName() == name {
				return subject{true, x.GetType() == mesos.Value_TEXT, x.GetText().GetValue()}
			}
		}
		return subject{}
	}
}

// pseudoattributes are what is known of an agent beside its attributes.
var pseudoattributes = map[scheduler.AttributeConstraint_Selector_PseudoattributeType]func(Agent) subject{
	scheduler.AttributeConstraint_Selector_HOSTNAME: func(a Agent) subject {
		return subject{true, true, a.Hostname}
	},
	scheduler.AttributeConstraint_Selector_REGION: func(a Agent) subject {
		d := a.Domain.GetFaultDomain()
		return subject{d != nil, true, d.GetRegion().GetName()}
	},
	scheduler.AttributeConstraint_Selector_ZONE: func(a Agent) subject {
		d := a.Domain.GetFaultDomain()
		return subject{d != nil, true, d.GetZone().GetName()}
	},
}

func compilePredicate(p *scheduler.AttributeConstraint_Predicate) (func(subject) bool, error) {
	switch is := p.GetPredicate().(type) {
	case *scheduler.AttributeConstraint_Predicate_Exists_:
		return func(s subject) bool { return s.there }, nil
	case *scheduler.AttributeConstraint_Predicate_NotExists_:
		return func(s subject) bool { return !s.there }, nil
	case *scheduler.AttributeConstraint_Predicate_TextEquals_:
		want := is.TextEquals.GetValue()
		return positive(func(text string) bool { return text == want }), nil
	case *scheduler.AttributeConstraint_Predicate_TextNotEquals_:
		other := is.TextNotEquals.GetValue()
		return negative(func(text string) bool { return text == other }), nil
	case *scheduler.AttributeConstraint_Predicate_TextMatches_:
		match, err := compileRegex(is.TextMatches.GetRegex())
		return positive(match), field.In("text_matches", err)
	case *scheduler.AttributeConstraint_Predicate_TextNotMatches_:
		match, err := compileRegex(is.TextNotMatches.GetRegex())
		return negative(match), field.In("text_not_matches", err)
	}
	return nil, field.Missing("")
}

// positive holds for what is there, if it fits or is no text.
func positive(fits func(string) bool) func(subject) bool {
	return func(s subject) bool { return s.there && (!s.isText || fits(s.text)) }
}

// negative holds for what is not there, does not fit, or is no text.
func negative(fits func(string) bool) func(subject) bool {
	return func(s subject) bool { return !s.there || !s.isText || !fits(s.text) }
}

// compileRegex returns a match of whole texts.
func compileRegex(text string) (func(string) bool, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, field.Invalid("regex", text, "%s", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, field.Invalid("regex", text, "%s", err)
	}
	if n := len(program.Inst); n > maxProgram {
		return nil, field.Invalid("regex", text, "is a program of %d instructions, more than %d", n, maxProgram)
	}
	whole, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, field.Invalid("regex", text, "%s", err)
	}
	return whole.MatchString, nil
}

// Admits tells whether offers of an agent are wanted.
func (r Role) Admits(a Agent) bool {
	return len(r.groups) == 0 || slices.ContainsFunc(r.groups, func(g group) bool {
		return !slices.ContainsFunc(g, func(c condition) bool { return !c.holds(c.subject(a)) })
	})
}
