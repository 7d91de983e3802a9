package commands

import (
	"testing"
	"time"
)

func TestShares(t *testing.T) {
	for text, want := range map[string]string{
		"cpus:4;mem:10%":        "cpus:4;mem:10%",
		" cpus : 0.5 ; gpus:1;": "cpus:0.5;gpus:1",
		"":                      "",
	} {
		shares, err := parseShares(text)
		if err != nil || sharesText(shares) != want {
			t.Errorf("%q is %s, %v", text, sharesText(shares), err)
		}
	}
	for text, want := range map[string]string{
		"cpus":      `"cpus" has no ':' between name and amount`,
		"cpus:many": `"many" is neither an amount nor a percentage`,
		"cpus:%":    `"%" is neither an amount nor a percentage`,
	} {
		if _, err := parseShares(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestEndOfReservations(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		lasting time.Duration
		until   string
		at      int64
		bad     bool
	}{
		{0, "", 0, false},
		{time.Minute, "", 1060, false},
		{0, "1970-01-01T00:33:20Z", 2000, false},
		{0, "tomorrow", 0, true},
		{-time.Second, "", 0, true},
		{time.Second, "1970-01-01T00:33:20Z", 0, true},
	} {
		got, err := endOf(now, c.lasting, c.until)
		if (err != nil) != c.bad || got.GetNanoseconds() != c.at*int64(time.Second) || c.at == 0 && got != nil {
			t.Errorf("for %s until %q: %v, %v", c.lasting, c.until, got, err)
		}
	}
}
