package linux

import _ "embed"

//go:embed init_amd64.bin
var initBinary []byte
