package bare

import (
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The loads end, which is all that is asked of a yardstick.
func TestLoadsEnd(t *testing.T) {
	m := wrapperspb.Bytes(make([]byte, 100))
	if Sends(1000, 100, m) <= 0 || Asks(1000, 8, m) <= 0 {
		t.Error("no time passed")
	}
	a, err := NewNode(100)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := NewNode(100)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if n := len(a.PingPong(b.Address(), 10, m)); n != 10 {
		t.Errorf("%d times, want 10", n)
	}
	if a.OneWay(b.Address(), 1000, 100, m) <= 0 {
		t.Error("no time passed")
	}
}
