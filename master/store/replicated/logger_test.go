package replicated

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
)

func TestRaftLogsThroughOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := logOf(t)
		l := raftLogger(log)
		l.Info("quiet", "n", 1)
		l.Warn("uneasy", "servers", hclog.Fmt("%d of %d", 1, 3), "odd")
		for range 10 {
			l.Error("away", "peer", "h2:5050")
		}
		time.AfterFunc(time.Minute+time.Second, func() { l.Error("away", "peer", "h3:5050") })
		<-time.After(2 * time.Minute)
		text := lines.String()
		for _, want := range []string{"DEBUG\traft\tquiet\t{\"n\": \"1\"}", "WARN\traft\tuneasy\t{\"servers\": \"1 of 3\"}", "h3:5050"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		if n := strings.Count(text, "h2:5050"); n != 3 {
			t.Errorf("%d of ten equal lines were written", n)
		}
	})
}
