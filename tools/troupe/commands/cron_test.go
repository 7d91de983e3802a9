package commands

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/cron/plan"
)

func TestCronRefusesWhatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "long"), []byte(strings.Repeat("x", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"--store=D/s":                                                                                `--master is required`,
		"--master=m:1":                                                                               `--store is required`,
		"--master=m:1 --store=zk://z1:2181":                                                          `--store="zk://z1:2181" cannot be read`,
		"--master=m:1 --store=D/s --role=/a":                                                         `--role="/a"`,
		"--master=m:1 --store=D/s --notify=rarely":                                                   `--notify: "rarely": has "rarely"`,
		"--master=m:1 --store=D/s --webhook=https://h/x,ftp://h/T0KEN":                               `webhooks\[1\]: is no URL`,
		"--master=m:1 --store=D/s --mail_server=mx --mail_from=a@b.c":                                `mail.server: "mx"`,
		"--master=m:1 --store=D/s --mail_server=mx:25":                                               `--mail_from is required`,
		"--master=m:1 --store=D/s --mail_user=cron":                                                  `--mail_server is required`,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=nobody":                            `mail.from: "nobody"`,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=a@b.c --mail_password=D/none":      `--mail_password: `,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=a@b.c --mail_password=D/long":      `holds more than a password`,
		"--master=m:1 --store=D/s --failure_retry=0s":                                                `--failure_retry=".*" is not above 0`,
		"--master=m:1 --store=D/s --task_unreachable_timeout=-1secs":                                 `--task_unreachable_timeout=".*" is not above 0`,
		"--master=m:1 --store=D/s --job_history_limit=0":                                             `--job_history_limit="0" is below 1`,
		"--master=m:1 --store=D/s --disable_after_failures=-1":                                       `--disable_after_failures="-1" is below 0`,
		"--master=m:1 --store=D/s --failover_timeout=-1secs":                                         `--failover_timeout=".*" is negative`,
		"--master=zk://me:secret@z1:2181/ --store=D/s":                                               `--master="zk://me:\*\*\*@z1:2181/"`,
		"--master=m:1 --store=D/s --http_credentials=D/none":                                         `--http_credentials: `,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=a@b.c --mail_ssl=perhaps":          `mail_ssl`,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=a@b.c --zk_session_timeout=0s":     `--zk_session_timeout=".*" is not above 0`,
		"--master=m:1 --store=D/s --mail_server=mx:25 --mail_from=a@b.c --webhook=https://h/x extra": `too many arguments`,
	} {
		args := append([]string{"cron"}, strings.Fields(strings.ReplaceAll(line, "=D/", "="+dir+"/"))...)
		code, out, stderr := typed(t, args...)
		if code != usage || out != "" || !regexp.MustCompile(want).MatchString(stderr) || strings.Contains(stderr, "secret") || strings.Contains(stderr, "T0KEN") {
			t.Errorf("troupe %q: %d %s%s, want %q", args, code, out, stderr, want)
		}
	}
}

func TestCronFlagsBecomeOptions(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("open sesame\nand more"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := new(cronFlags)
	given(t, f.add, "--master=m:1", "--store=/s", "--role=ops", "--failure_retry=5secs", "--disable_after_failures=3", "--job_history_limit=50",
		"--task_unreachable_timeout=2mins", "--cluster_name=c1", "--notify=failed,removed", "--webhook=https://h/x, http://g", "--mail_server=mx:25",
		"--mail_from=a@b.c", "--mail_user=cron", "--mail_password="+password, "--mail_ssl")
	o, err := f.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.Plan != (plan.Options{RetryDelay: 5 * time.Second, DisableAfter: 3, History: 50}) || o.Unreachable != 2*time.Minute || o.State != "/s" ||
		!slices.Equal(o.Framework.Roles, []string{"ops"}) || o.Framework.FailoverTimeout != 7*24*time.Hour || o.Framework.Name != "cron" {
		t.Errorf("%+v", o)
	}
	n := o.Notify
	if n.Cluster != "c1" || !slices.Equal(n.Occasions, []plan.Occasion{plan.AttemptFailed, plan.JobRemoved}) || !slices.Equal(n.Webhooks, []string{"https://h/x", "http://g"}) ||
		n.Mail.Server != "mx:25" || n.Mail.From != "a@b.c" || n.Mail.User != "cron" || n.Mail.Password != "open sesame" || !n.Mail.RequireTLS {
		t.Errorf("%+v %+v", n, n.Mail)
	}
	g := new(cronFlags)
	given(t, g.add, "--master=m:1", "--store=zk://z1:2181/cron")
	if o, err = g.options(); err != nil || o.ZooKeeper.Place == nil || o.Notify.Mail != nil || len(o.Notify.Occasions) != 3 {
		t.Errorf("%+v, %v", o, err)
	}
}
