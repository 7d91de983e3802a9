package flags

import "strings"

// Path is a flag's value that is the path of a file, with or without file://
// before it. Other than a string's, the file is not read in its place.
type Path string

// Set implements pflag.Value.
func (p *Path) Set(s string) error {
	*p = Path(strings.TrimPrefix(s, "file://"))
	return nil
}

// String implements pflag.Value.
func (p *Path) String() string { return string(*p) }

// Type implements pflag.Value.
func (*Path) Type() string { return "path" }
