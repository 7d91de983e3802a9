package show

import (
	"strings"
	"testing"
	"time"
)

func TestTablesAlignWhateverTheColours(t *testing.T) {
	plain, coloured := Style{}, Style{colour: true}
	for name, style := range map[string]Style{"plain": plain, "coloured": coloured} {
		t.Run(name, func(t *testing.T) {
			table := NewTable("ID", "STATE", "HOST")
			table.Add("a", style.State("TASK_RUNNING"), "größe")
			table.Add("longer", style.State("TASK_LOST"), "x")
			var out strings.Builder
			if err := table.Write(&out, "none"); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
				bare := strip(line)
				if at := strings.IndexAny(bare, "Tg"); at < 0 {
					t.Errorf("no second column in %q", bare)
				}
			}
			want := "ID      STATE         HOST\na       TASK_RUNNING  größe\nlonger  TASK_LOST     x\n"
			if got := strip(out.String()); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func strip(s string) string {
	for {
		before, rest, ok := strings.Cut(s, escape)
		if !ok {
			return s
		}
		_, after, _ := strings.Cut(rest, "m")
		s = before + after
	}
}

func TestEmptyTableSaysSo(t *testing.T) {
	var out strings.Builder
	if err := NewTable("ID").Write(&out, "No tasks."); err != nil || out.String() != "No tasks.\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0.1": Number(0.1), "32": Number(32.0001), "1.235": Number(1.2345678),
		"1023": Size(1023), "1.0K": Size(1024), "1.5M": Size(3 << 19),
		"-": Age(time.Unix(100, 0), 0), "59s": Age(time.Unix(100, 0), 41), "1m": Age(time.Unix(100, 0), 40),
		"47h": Age(time.Unix(47*3600+1, 0), 1), "2d": Age(time.Unix(48*3600+1, 0), 1), "0s": Age(time.Unix(1, 0), 5),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNoColourOffTheTerminal(t *testing.T) {
	if style := StyleFor(new(strings.Builder)); style.Terminal() || style.Red("x") != "x" {
		t.Error("text for a program is coloured")
	}
}
