// Package app is what the service framework runs, in its own words: apps, the
// tree of groups that they live in, their paths and versions. It says what is
// wrong with an app, what differs between two versions of one, and in which order
// apps depend on each other. It knows no legacy field and no JSON: that is
// frameworks/service/wire. It is pure; everything of the service framework may
// import it.
//
// An App or Group that is in a tree is never changed: who wants another makes a
// copy (Clone, With, Without, Put).
package app
