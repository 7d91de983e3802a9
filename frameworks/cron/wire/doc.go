// Package wire is the JSON of Chronos: jobs both ways, with the older forms of
// their fields, and every problem of a job at once, by its path.
//
// It is a core: bytes in, values out. The REST API of the cron framework imports
// it.
package wire
