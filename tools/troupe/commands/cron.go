package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"troupe/frameworks/cron/notify"
	"troupe/frameworks/cron/plan"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// cronPort is where Chronos's clients look.
const cronPort = 4400

// cronFlags are the settings of the cron framework, by the names that Chronos
// gives them.
type cronFlags struct {
	framework            frameworkFlags
	cluster              string
	retry, unreachable   flags.Duration
	disableAfter, memory int
	telling              notifyFlags
}

// notifyFlags say who is told of what, and how.
type notifyFlags struct {
	occasions, webhooks string
	server, from, user  string
	password            flags.Path
	secure              bool
}

func (n *notifyFlags) add(set *pflag.FlagSet) {
	set.StringVar(&n.occasions, "notify", "removed,disabled,exhausted", "what people are told of, with commas between: removed, disabled, exhausted (a run has failed for good), failed (an attempt has), succeeded; or all, or none; a job's tag "+notify.Tag+" says otherwise for that job")
	set.StringVar(&n.webhooks, "webhook", "", "URLs that this is posted to, with commas between; Slack and Mattermost read it, too")
	set.StringVar(&n.server, "mail_server", "", "host:port of the server that takes mail to the owners of jobs; without it they get none")
	set.StringVar(&n.from, "mail_from", "", "address that mail comes from; required with --mail_server")
	set.StringVar(&n.user, "mail_user", "", "who the mail server is told that it comes from")
	set.Var(&n.password, "mail_password", "file that holds the password of --mail_user")
	flags.Bool(set, &n.secure, "mail_ssl", false, "refuse mail servers without STARTTLS, which is otherwise used where it is offered")
}

// maxPassword bounds a password, in bytes.
const maxPassword = 4 << 10

func (n *notifyFlags) options() (o notify.Options, err error) {
	if o.Occasions, err = notify.ParseOccasions(n.occasions); err != nil {
		return o, usageError{fmt.Errorf("--notify: %w", err)}
	}
	o.Webhooks = list(n.webhooks)
	if n.server == "" {
		if n.from != "" || n.user != "" || n.password != "" {
			return o, usageError{errRequired("mail_server")}
		}
		return o, nil
	}
	if n.from == "" {
		return o, usageError{errRequired("mail_from")}
	}
	o.Mail = &notify.Mail{Server: n.server, From: n.from, User: n.user, RequireTLS: n.secure}
	if n.password == "" {
		return o, nil
	}
	text, err := readSecret("mail_password", n.password)
	if err != nil {
		return o, err
	}
	if o.Mail.Password = firstLine(text); len(o.Mail.Password) > maxPassword {
		return o, flagError("mail_password", string(n.password), "holds more than a password")
	}
	return o, nil
}

// firstLine is what a file of one secret holds.
func firstLine(text []byte) string {
	for i, b := range text {
		if b == '\n' || b == '\r' {
			return string(text[:i])
		}
	}
	return string(text)
}

func (f *cronFlags) add(set *pflag.FlagSet) {
	f.framework.add(set, "cron", cronPort)
	set.StringVar(&f.cluster, "cluster_name", "", "what the subjects of notifications begin with, in brackets")
	duration(set, &f.retry, "failure_retry", time.Minute, "between a failed attempt and the next, of jobs that say nothing else")
	duration(set, &f.unreachable, "task_unreachable_timeout", 10*time.Minute, "after which a task on an agent that is out of reach counts as lost")
	set.IntVar(&f.disableAfter, "disable_after_failures", 0, "runs that fail one after the other after which their job is disabled; 0 is never")
	set.IntVar(&f.memory, "job_history_limit", 10, "attempts remembered of each job")
	f.telling.add(set)
}

func cronCommand(io Streams) *cobra.Command {
	f := new(cronFlags)
	c := &cobra.Command{
		Use: "cron", GroupID: groupCluster, Args: exactly(),
		Short: "Run the cron framework",
		Long: `Run a framework that runs jobs by the clock, and jobs that depend on other jobs, on
a cluster, until SIGINT or SIGTERM. Tasks go on meanwhile, and the next process
with the same --store knows them. Its REST API is that of Chronos.`,
		Example: `  troupe cron --master=127.0.0.1:5050 --store=/var/lib/troupe/cron.db
  troupe cron --master=zk://zk1:2181,zk2:2181/mesos --store=zk://zk1:2181,zk2:2181/cron
  troupe cron --master=127.0.0.1:5050 --store=cron.db --mail_server=mx:25 --mail_from=cron@example.com

  curl -d '{"name": "hello", "command": "echo hello", "schedule": "R/2026-01-01T00:00:00Z/PT1M"}' \
    -H 'Content-Type: application/json' http://127.0.0.1:4400/v1/scheduler/iso8601`,
	}
	f.add(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return f.run(c.Context(), io) }
	c.AddCommand(cronJobCommands(io)...)
	return c
}

func (f *cronFlags) run(ctx context.Context, io Streams) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	return f.framework.log.serve(ctx, io, "cron", func(l daemon.Logging) (*daemon.Daemon, error) {
		o.Logging = l
		return daemon.StartCron(ctx, o)
	})
}

// options checks the flags.
func (f *cronFlags) options() (o daemon.CronOptions, err error) {
	if o.FrameworkOptions, err = f.framework.options(); err != nil {
		return o, err
	}
	if err := positive(namedDuration{"failure_retry", f.retry}, namedDuration{"task_unreachable_timeout", f.unreachable}); err != nil {
		return o, err
	}
	if err := atLeast(0, namedInt{"disable_after_failures", f.disableAfter}); err != nil {
		return o, err
	}
	if err := atLeast(1, namedInt{"job_history_limit", f.memory}); err != nil {
		return o, err
	}
	if o.Notify, err = f.telling.options(); err != nil {
		return o, err
	}
	o.Notify.Cluster = f.cluster
	if _, err := notify.New(o.Notify); err != nil {
		return o, usageError{fmt.Errorf("--webhook, --mail_server and --mail_from: %w", err)}
	}
	o.Plan = plan.Options{RetryDelay: time.Duration(f.retry), DisableAfter: f.disableAfter, History: f.memory}
	o.Unreachable, o.Program = time.Duration(f.unreachable), Version
	return o, nil
}
