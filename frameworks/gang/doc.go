// Package gang launches tasks that are of use only together: all of a gang's
// members run, or none. It collects offers for them, holds what it has for a
// while at most, and gives everything back if that is not enough, so that two
// gangs that each hold a part of what the other one lacks do not wait for each
// other for ever.
//
// It is a core: Step is the one way in, time and chance are inputs, effects
// are performed in order. frameworks.Tasks is its shell.
package gang
