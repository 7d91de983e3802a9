// Package validate checks messages of frameworks and agents for what can be
// judged from the message alone: ids, roles, amounts, which fields must or
// must not be set together. Master and agent apply the same rules, and so may
// anything else; what needs knowledge of a cluster (does the offer exist, are
// the resources offered) is not here.
//
// Every error is a *field.Error: path, value, reason. Ids and roles are in
// package names, resources in package resources, states in package tasks.
package validate
