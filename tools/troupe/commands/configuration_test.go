package commands

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const configurationPage = "../../../docs/configuration.md"

// TestConfigurationPage compares the tables of docs/configuration.md, which
// follow the line "<!-- flags -->", with the flags of the daemons.
func TestConfigurationPage(t *testing.T) {
	const mark = "<!-- flags -->\n"
	page, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	prose, tables, found := strings.Cut(string(page), mark)
	if !found {
		t.Fatalf("%s has no line %q", configurationPage, mark)
	}
	want := flagTables(Root(Streams{}))
	if *update {
		if err := os.WriteFile(configurationPage, []byte(prose+mark+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if tables != want {
		t.Errorf("%s is not what the flags are; go test ./tools/troupe/commands -update writes it", configurationPage)
	}
}

func flagTables(root *cobra.Command) string {
	var page strings.Builder
	for _, c := range root.Commands() {
		if c.GroupID != groupCluster || c.Hidden {
			continue
		}
		fmt.Fprintf(&page, "\n## troupe %s\n\n%s.\n\n| Flag | Default | Meaning |\n|---|---|---|\n", c.Name(), c.Short)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			value := "`" + f.DefValue + "`"
			if f.DefValue == "" {
				value = ""
			}
			fmt.Fprintf(&page, "| `--%s` | %s | %s |\n", f.Name, strings.ReplaceAll(value, "|", `\|`), strings.ReplaceAll(f.Usage, "|", `\|`))
		})
	}
	return page.String()
}
