// Package dsl reads what services are to run from files in Starlark, in the
// tradition of Aurora: configurations are code, with templates, loops and files
// that load others, of which one serves several environments by bindings from the
// command line. What it makes of them is the JSON of the service framework's API;
// the framework judges it. It starts nothing and asks nobody; commands may import
// it.
package dsl
