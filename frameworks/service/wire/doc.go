// Package wire is the JSON of the service framework's API, which is Marathon's: it
// reads every form that clients ever sent into the words of frameworks/service/app,
// and writes the canonical one, with no key that a strict client refuses. It is
// pure; the API, and whoever stores apps, may import it.
//
// What is read: null is as good as absent; keys that nobody knows, and those that
// only answers have, are ignored, as Marathon does; of a key that is there twice
// the last counts. JSON that cannot be read is an *UnreadableError (status 400),
// what is wrong with its content app.Problems (422).
package wire
