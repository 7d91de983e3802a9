// Package notify tells people what became of their jobs, by mail and by webhook.
// It is a device: the plan says what happened, and nothing here decides about
// jobs. Notifications that are on their way are not kept: who dies with some of
// them has not told them. The wiring of the cron framework imports it.
package notify
