// Package api is the cron framework's face: the REST API of Chronos under
// /scheduler and /v1/scheduler, and what users of it missed. It reads the board,
// and asks the plan to change anything. Wiring mounts its Handler; docs/cron-api.md
// has every endpoint.
package api
