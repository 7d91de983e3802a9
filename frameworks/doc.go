// Package frameworks is what the author of a scheduler imports. It speaks the
// scheduler protocol (frameworks/session decides, this package performs) and
// leaves to the author what is the framework's own: what to launch on which
// offer, and what to make of the news.
//
// There are two ways in. RunTasks takes tasks and gets them done; it needs no
// knowledge of offers. Run takes a Scheduler, which sees everything.
//
// docs/writing-a-framework.md is a guide, frameworks/frameworktest a test kit whose
// clock a test sets; frameworks/files serves what tasks need, frameworks/store keeps
// what must survive.
//
// # What an author may rely on
//
//   - A Scheduler's methods are called one at a time, in order.
//   - An update is acknowledged only once Update has said so. An update that was
//     acknowledged is not seen again; after a restart of the author's process
//     the last one of a task may be.
//   - The framework id is in the Store before Connected is called.
//   - A call that comes to nothing is told to Refused; a task that could not be
//     launched gets a TASK_DROPPED or TASK_LOST update, like any other.
package frameworks
