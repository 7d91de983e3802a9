// Package flags is how troupe's commands take their settings: flags with the
// names and the syntax that Mesos operators know, from the command line, the
// environment or a file.
//
//   - `-` and `_` in a name are the same: --work_dir, --work-dir.
//   - A boolean is --name, --no-name or --name=true|false.
//   - A value of the form file:///path is replaced by what the file holds,
//     without a trailing newline.
//   - Durations are "5secs", "1.5mins" (ns us ms secs mins hrs days weeks) or
//     Go's "1m30s"; sizes are "512MB" (B KB MB GB TB, powers of 1024).
//   - What the command line does not set is taken from the environment
//     (TROUPE_WORK_DIR), then from the file that --config names (lines of
//     name = value), then from the default.
//
// Only the commands in tools/troupe import it.
package flags
