// Package files serves an agent's sandboxes and log over HTTP, as Mesos
// clients expect: /files/browse, /files/read, /files/download, /files/debug.
// Nothing outside the folders that were attached can be reached, neither with
// ".." nor over symbolic links. Only the agent's HTTP face imports it.
package files
