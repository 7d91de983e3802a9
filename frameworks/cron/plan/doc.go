// Package plan decides what the cron framework runs and when: jobs by the
// calendar and jobs by the success of others, missed runs, overlaps, retries.
//
// It is a core: Step is the one way in, time is an input, effects are performed
// in order. What a step changes is persisted before any of it is seen. Only the
// cron framework's shell and faces import it.
package plan
