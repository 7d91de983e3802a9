// Package pen writes messages field by field, as JSON or as protobuf, without
// building them first: a state of a million tasks is told from records that
// are no messages. Which fields there are is checked against the schema when
// the program starts. Faces and tools may import it.
package pen
