package hostpath

import (
	"os"
	"testing"

	"troupe/slave/container/isolator/isolatortest"
)

func TestMain(m *testing.M) { os.Exit(isolatortest.InOwnMounts(m)) }
