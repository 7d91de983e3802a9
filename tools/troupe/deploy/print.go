package deploy

import (
	"fmt"
	"io"
	"strings"

	"troupe/frameworks/service/client"
	"troupe/tools/troupe/show"
)

// means says what becomes of an app, in the words of plans.
var means = map[string]string{
	"created": "is created", "removed": "is removed, and its instances end", "scaled": "is scaled",
	"edited": "is changed in place: nothing restarts", "replaced": "every instance is replaced",
}

// verbs are what actions do.
var verbs = map[string]string{
	"StartApplication": "make known", "StopApplication": "end", "ScaleApplication": "scale", "RestartApplication": "replace",
}

// PrintChanges shows which fields of which apps change.
func PrintChanges(w io.Writer, s show.Style, p client.Plan) error {
	var b strings.Builder
	for _, c := range p.Changes {
		if len(c.Fields) == 0 {
			continue
		}
		what := means[c.Change]
		if what == "" {
			what = c.Change
		}
		fmt.Fprintf(&b, "%s: %s\n", s.Bold(c.App), what)
		for _, f := range c.Fields {
			if there(f.Old) {
				fmt.Fprintln(&b, s.Red("  - "+f.Path+": "+string(f.Old)))
			}
			if there(f.New) {
				fmt.Fprintln(&b, s.Green("  + "+f.Path+": "+string(f.New)))
			}
		}
	}
	if b.Len() == 0 {
		b.WriteString("Nothing changes.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func there(value []byte) bool { return len(value) > 0 && string(value) != "null" }

// PrintSteps shows in which order a deployment goes.
func PrintSteps(w io.Writer, p client.Plan) error {
	for i, step := range p.Steps {
		var parts []string
		for _, a := range step.Actions {
			parts = append(parts, verb(a.Action)+" "+a.App)
		}
		if _, err := fmt.Fprintf(w, "step %d: %s\n", i+1, strings.Join(parts, ", ")); err != nil {
			return err
		}
	}
	return nil
}

func verb(action string) string {
	if v := verbs[action]; v != "" {
		return v
	}
	return action
}
