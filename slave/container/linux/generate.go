package linux

//go:generate go run ./build
