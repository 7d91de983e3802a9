// Package resources calculates with what agents have and tasks need: amounts
// exact to three decimals, ranges and sets, each with its role, reservations,
// disk, and whether it is revocable or shared. It is pure and may be imported
// by anything.
//
// Resources is the value that the rest works on; New makes one from protobuf
// and reports what is wrong with it, Parse makes one from the text of a flag.
//
//	total, err := resources.Parse("cpus:4;mem:1024;ports:[31000-32000]", "*")
//	offered, err := resources.New(offer.Resources...)
//	if offered.Contains(needed) { rest := offered.Without(needed) }
//
// Two resources add up when all that identifies them is equal: name, type,
// provider, allocation, the stack of reservations, disk, revocable and shared.
// What cannot be divided (a persistent volume, a mounted or raw disk, anything
// shared) is never merged but counted in copies.
//
// Quantities is the allocators' form: a vector of amounts without identity.
package resources
