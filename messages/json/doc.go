// Package json reads and writes the JSON of Mesos clients, which is not the
// JSON that protobuf defines. HTTP faces, the SDK and tools may import it.
//
// Written: names of fields as in the .proto files, in order of declaration;
// enums by name; bytes in standard base64; 64-bit integers as numbers; doubles
// always with a point or exponent; maps as objects; "Infinity", "-Infinity"
// and "NaN" as strings. What is not set is left out, except that an optional
// field with a declared default that is not deprecated is written with it.
// Empty lists and maps are left out.
//
// Read: members that are not known are ignored, and null is the same as
// absence. Numbers and booleans may be quoted, a whole number may be written
// with an exponent or a fraction of zero, an enum as its number. An enum name
// that is not known leaves an optional or repeated field as if it were absent
// and is an error for a required one. One value stands for a list of one. Of a
// member that is there twice the last counts. Every required field must be
// set. What is wrong is told with the path of the field:
// "accept.offer_ids[1].value".
//
// Neither direction builds a document in memory: Write and Writer stream to an
// io.Writer, Unmarshal fills the message as it reads.
package json
