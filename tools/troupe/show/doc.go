// Package show writes what troupe's commands find: tables for people, JSON
// for programs, colours and progress only on a terminal. Only the commands in
// tools/troupe import it.
package show
