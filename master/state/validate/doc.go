// Package validate holds messages against the rules that need no state: which
// fields a call must have, what a framework or a task may ask for. Errors name
// the field and its value. It is pure; master/state and whatever else accepts
// such messages may import it.
package validate
