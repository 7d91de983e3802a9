// Package share lets those who ask for the same document at once have it
// encoded once. Nobody gets a document that was begun before they asked, unless
// nothing has changed since; nobody waits for a slow reader; and what is kept in
// memory is bounded, however long the documents are. The master's faces import
// it.
package share
