package show

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

const escape = "\x1b["

// Style is how text may be decorated.
type Style struct {
	colour bool
}

// StyleFor is colourful when file is a terminal and NO_COLOR is not set (see
// no-color.org).
func StyleFor(file any) Style {
	f, ok := file.(*os.File)
	return Style{colour: ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))}
}

// Terminal says whether the output is a person's screen.
func (s Style) Terminal() bool { return s.colour }

// Height is how many lines a terminal shows; 24 where that is unknown.
func Height(file any) int {
	if f, ok := file.(*os.File); ok {
		if _, height, err := term.GetSize(int(f.Fd())); err == nil && height > 0 {
			return height
		}
	}
	return 24
}

// Green, Red, Yellow and Grey colour a text.
func (s Style) Green(text string) string  { return s.wrap("32", text) }
func (s Style) Red(text string) string    { return s.wrap("31", text) }
func (s Style) Yellow(text string) string { return s.wrap("33", text) }
func (s Style) Grey(text string) string   { return s.wrap("90", text) }

// Bold makes a text stand out.
func (s Style) Bold(text string) string { return s.wrap("1", text) }

func (s Style) wrap(code, text string) string {
	if !s.colour {
		return text
	}
	return escape + code + "m" + text + escape + "0m"
}

// State colours a task's state: green while well, red when it ended badly.
func (s Style) State(state string) string {
	switch short := strings.TrimPrefix(state, "TASK_"); short {
	case "RUNNING", "FINISHED":
		return s.Green(state)
	case "STAGING", "STARTING", "KILLING", "KILLED":
		return s.Yellow(state)
	default:
		return s.Red(state)
	}
}

// Number prints an amount with at most three decimals, as resources have.
func Number(x float64) string {
	return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64)
}

// Age prints how long ago a time (seconds since 1970) was, in one unit.
func Age(now time.Time, since float64) string {
	if since <= 0 {
		return "-"
	}
	age := now.Sub(time.Unix(0, int64(since*1e9)))
	switch {
	case age < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(age.Seconds())))
	case age < time.Hour:
		return fmt.Sprintf("%dm", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%dh", int(age.Hours()))
	}
	return fmt.Sprintf("%dd", int(age.Hours()/24))
}

// Size prints a number of bytes in one unit.
func Size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	x, i := float64(n)/1024, 0
	for x >= 1024 && i < len(units)-1 {
		x, i = x/1024, i+1
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + units[i:i+1]
}

// Again prepares w for the next of several looks at one thing: a terminal is
// cleared, elsewhere an empty line stands between them.
func Again(w io.Writer, s Style) error {
	text := "\n"
	if s.colour {
		text = escape + "H" + escape + "2J"
	}
	_, err := io.WriteString(w, text)
	return err
}
