package linux

import _ "embed"

//go:embed init_arm64.bin
var initBinary []byte
