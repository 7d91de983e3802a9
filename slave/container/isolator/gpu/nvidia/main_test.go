package nvidia

import (
	"os"
	"testing"

	"troupe/tools/cgrouptest"
)

func TestMain(m *testing.M) { os.Exit(cgrouptest.Main(m)) }
