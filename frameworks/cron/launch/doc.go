// Package launch decides which run that waits uses which offer, says why others
// do not, and makes their tasks: environment, command, container.
//
// It is a core: time is an input. Only the cron framework's shell imports it.
package launch
