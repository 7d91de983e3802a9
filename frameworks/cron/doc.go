// Package cron is the shell of the cron framework: a scheduler that feeds the
// plan (package plan) with what happens, and performs what the plan wants, on
// offers that package launch deals out. The plan is asked for changes by Do; what
// it says of its jobs goes to a board. Wiring imports it.
package cron
