package flags

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5secs": 5 * time.Second, "1.5mins": 90 * time.Second, "1weeks": 168 * time.Hour,
		"0ns": 0, "250ms": 250 * time.Millisecond, "1m30s": 90 * time.Second, "2hrs": 2 * time.Hour,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "secs", "5 fortnights", "1e300weeks", "NaNsecs"} {
		if got, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseDuration(%q) = %v, %v; want an error that names it", text, got, err)
		}
	}
}

func TestDurationsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "ns"))
		back, err := ParseDuration(FormatDuration(d))
		if diff := (back - d).Abs(); err != nil || diff > d.Abs()/1e12+1 {
			t.Fatalf("%d was written %q and read %d, %v", d, FormatDuration(d), back, err)
		}
	})
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"0B": 0, "512MB": 512 << 20, "2GB": 2 << 30, "1.5KB": 1536, "1TB": 1 << 40} {
		got, err := ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "-1MB", "MB", "9999999999TB", "NaNGB"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %v; want an error", text, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"5secs", "1.5mins", "1m30s", "-3days", "1e9weeks"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil {
			if _, err := ParseDuration(FormatDuration(d)); err != nil {
				t.Fatalf("%q was read as %d, whose text %q is not read: %v", s, d, FormatDuration(d), err)
			}
		}
	})
}

func FuzzParseBytes(f *testing.F) {
	for _, seed := range []string{"512MB", "1.5KB", "0B", "-1GB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseBytes(s); err == nil && n < 0 {
			t.Fatalf("ParseBytes(%q) = %d", s, n)
		}
	})
}

// settings is a command as the real ones are made.
type settings struct {
	dir     string
	recover bool
	wait    Duration
}

func command(s *settings) *cobra.Command {
	c := &cobra.Command{Use: "x", Run: func(*cobra.Command, []string) {}}
	c.Flags().StringVar(&s.dir, "work_dir", "/default", "")
	Bool(c.Flags(), &s.recover, "switch_user", true, "")
	s.wait = Duration(time.Second)
	c.Flags().Var(&s.wait, "wait", "")
	AddConfig(c.Flags())
	Prepare(c)
	return c
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	secret := filepath.Join(dir, "secret")
	write(t, config, "# settings\n\nwork-dir = /from/config\nwait = 3secs\n")
	write(t, secret, "/from/file\n")
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want settings
	}{
		"defaults":               {want: settings{"/default", true, Duration(time.Second)}},
		"dashes":                 {args: []string{"--work-dir=/a", "--no-switch-user"}, want: settings{"/a", false, Duration(time.Second)}},
		"environment":            {env: map[string]string{"TROUPE_WORK_DIR": "/e", "TROUPE_SWITCH_USER": "false"}, want: settings{"/e", false, Duration(time.Second)}},
		"the line wins":          {args: []string{"--work_dir=/a"}, env: map[string]string{"TROUPE_WORK_DIR": "/e"}, want: settings{"/a", true, Duration(time.Second)}},
		"configuration":          {args: []string{"--config", config}, want: settings{"/from/config", true, Duration(3 * time.Second)}},
		"environment over file":  {args: []string{"--config", config}, env: map[string]string{"TROUPE_WAIT": "9secs"}, want: settings{"/from/config", true, Duration(9 * time.Second)}},
		"value out of a file":    {args: []string{"--work_dir=file://" + secret}, want: settings{"/from/file", true, Duration(time.Second)}},
		"explicit boolean value": {args: []string{"--switch_user=false"}, want: settings{"/default", false, Duration(time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			var got settings
			if err := resolve(&got, test.args, test.env); err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestBadSettingsNameFlagAndValue(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	write(t, config, "wait = soon\n")
	for name, test := range map[string]struct {
		args  []string
		env   map[string]string
		words []string
	}{
		"line":         {args: []string{"--wait=soon"}, words: []string{"wait", "soon"}},
		"environment":  {env: map[string]string{"TROUPE_WAIT": "soon"}, words: []string{"TROUPE_WAIT", "soon"}},
		"file":         {args: []string{"--config", config}, words: []string{config + ":1", "wait", "soon"}},
		"missing file": {args: []string{"--config=/does/not/exist"}, words: []string{"config", "/does/not/exist"}},
		"missing text": {args: []string{"--work_dir=file:///does/not/exist"}, words: []string{"work_dir", "/does/not/exist"}},
		"unknown flag": {args: []string{"--wrok_dir=x"}, words: []string{"wrok_dir"}},
		"no with text": {args: []string{"--no-switch_user=x"}, words: []string{"switch_user", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := resolve(new(settings), test.args, test.env)
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

// FuzzConfig: any file is taken, or refused with its name and line.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{"# settings\n\nwork-dir = /x\nwait = 3secs\n", "wait = soon", "wait", "= x", "no_such = 1", "switch_user = perhaps", "work_dir = file:///does/not/exist", "\x00=\n\r"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config := filepath.Join(t.TempDir(), "config")
		write(t, config, text)
		err := resolve(new(settings), []string{"--config", config}, nil)
		if err != nil && !strings.Contains(err.Error(), config) && !strings.Contains(err.Error(), "--work_dir") {
			t.Errorf("%q does not say where it stood", err)
		}
	})
}

func resolve(s *settings, args []string, env map[string]string) error {
	c := command(s)
	if err := c.ParseFlags(args); err != nil {
		return err
	}
	return Resolve(c.Flags(), func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
