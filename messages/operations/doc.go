// Package operations says what the operations of offers and operators make of
// an agent's resources: RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME and
// SHRINK_VOLUME. Master and agent use it alike; it is pure and may be imported
// by anything.
//
//	err := operations.Validate(op, operations.Case{Framework: info, Role: role, …})
//	rest, err := operations.Apply(op, offered)
//
// Whom the resources of an operation are allocated to is checked by Validate
// and means nothing to the rest, which works on what is given to nobody.
//
// GROW_VOLUME and SHRINK_VOLUME touch what is on a disk, so that the agent must
// have done them before anything builds on their result; see Speculative.
package operations
