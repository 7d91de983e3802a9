// Package detector finds the leading master for those who look for it: agents,
// schedulers and commands. Where it looks is a masters.Location; whom it finds
// is told as the elections' detectors tell it, so that any may stand in for
// another.
//
// Among listed masters it asks one after the other who leads (GET /leader), and
// takes a leader's own word only. While nobody leads it asks again after
// random(0, b), where b starts at Options.Backoff.First and doubles with every
// round to Options.Backoff.Longest: many clients that lost one master at one
// moment spread out, and each hears of the next one soon.
//
// It is a device that shells may open by themselves: what a user writes after
// --master decides which of them it is. It imports words and other devices.
package detector
