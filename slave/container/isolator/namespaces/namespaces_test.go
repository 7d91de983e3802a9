package namespaces

import (
	"strings"
	"testing"
)

func TestWhatIsMissingIsNamed(t *testing.T) {
	if err := Check("namespaces/pid", "pid"); err != nil {
		t.Error(err)
	}
	err := Check("namespaces/moon", "moon")
	if err == nil || !strings.Contains(err.Error(), "namespaces/moon: the kernel has no moon namespaces") {
		t.Errorf("%v", err)
	}
}
