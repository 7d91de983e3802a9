// Package isolation is what the flags about containers say, as settings that
// travel from an agent to its hosts; it has the table of isolators, and makes
// containers with them. The commands of tools/troupe and the daemons import it.
package isolation
