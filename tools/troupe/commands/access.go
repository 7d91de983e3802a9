package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	masterapi "troupe/master/api"
	"troupe/messages/carrier/guard"
	"troupe/messages/credentials"
	agentapi "troupe/slave/api"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// What proves who asks, by the names that Mesos gives it.
const (
	basicAuthenticator = "basic"
	tokenAuthenticator = "jwt"
)

// accessFlags say who may ask a daemon what over HTTP.
type accessFlags struct {
	readOnly, readWrite bool
	credentials         flags.Path
	authenticators      string
	// named is the flag that credentials is; it differs between daemons.
	named string
}

func (a *accessFlags) add(set *pflag.FlagSet, named, authenticators string) {
	a.named = named
	flags.Bool(set, &a.readOnly, "authenticate_http_readonly", false, "ask who reads over HTTP to prove it; needs --"+named)
	flags.Bool(set, &a.readWrite, "authenticate_http_readwrite", false, "ask who changes something over HTTP, or calls /api/v1, to prove it; needs --"+named)
	set.Var(&a.credentials, named, `file of who may prove to be whom: {"credentials": [{"principal": "ops", "secret": "…"}]}`)
	set.StringVar(&a.authenticators, "http_authenticators", authenticators, "what proves it, with commas between: basic"+map[bool]string{
		true: ", jwt; by default basic, and jwt with --authenticate_http_executors",
	}[authenticators == ""])
}

// masterAccess is that of a master.
type masterAccess struct {
	accessFlags
	frameworks              bool
	frameworkAuthenticators string
}

func (m *masterAccess) add(set *pflag.FlagSet) {
	m.accessFlags.add(set, "credentials", basicAuthenticator)
	flags.Bool(set, &m.frameworks, "authenticate_http_frameworks", false, "ask schedulers that come over HTTP to prove who they are; needs --credentials")
	set.StringVar(&m.frameworkAuthenticators, "http_framework_authenticators", basicAuthenticator, "what proves it for schedulers: basic")
}

// put makes the guard of a master, if there is to be one.
func (m *masterAccess) put(n *daemon.Network) error {
	for _, list := range []struct{ name, value string }{
		{"http_authenticators", m.authenticators}, {"http_framework_authenticators", m.frameworkAuthenticators},
	} {
		if _, err := chosen(list.name, list.value, basicAuthenticator); err != nil {
			return err
		}
	}
	basic, err := m.basic(map[string]bool{"authenticate_http_frameworks": m.frameworks})
	if err != nil || basic == nil {
		return err
	}
	n.Secrets = append(n.Secrets, string(m.credentials))
	proofs := make(map[guard.Realm][]guard.Proof)
	for realm, asked := range map[guard.Realm]bool{
		masterapi.ReadOnly: m.readOnly, masterapi.ReadWrite: m.readWrite, masterapi.Scheduler: m.frameworks,
	} {
		if asked {
			proofs[realm] = []guard.Proof{basic}
		}
	}
	n.Guard = guard.New(masterapi.Realms.RealmOf, proofs)
	return nil
}

// agentAccess is that of an agent.
type agentAccess struct {
	accessFlags
	executors bool
	key       flags.Path
}

func (a *agentAccess) add(set *pflag.FlagSet) {
	a.accessFlags.add(set, "http_credentials", "")
	a.addExecutors(set)
}

func (a *agentAccess) addExecutors(set *pflag.FlagSet) {
	flags.Bool(set, &a.executors, "authenticate_http_executors", false, "ask executors that come over HTTP for the token that the agent gave them; needs --jwt_secret_key")
	set.Var(&a.key, "jwt_secret_key", "file whose content signs the tokens of executors; with it they get one")
}

// put makes the guard of an agent, if there is to be one, and gives the key
// that signs tokens, nil without one.
func (a *agentAccess) put(n *daemon.Network) (key []byte, err error) {
	if a.authenticators == "" {
		a.authenticators = basicAuthenticator
		if a.executors {
			a.authenticators += "," + tokenAuthenticator
		}
	}
	names, err := chosen("http_authenticators", a.authenticators, basicAuthenticator, tokenAuthenticator)
	if err != nil {
		return nil, err
	}
	if key, err = a.readKey(); err != nil {
		return nil, err
	}
	basic, err := a.basic(nil)
	if err != nil {
		return nil, err
	}
	var people, executors []guard.Proof
	if basic != nil && slices.Contains(names, basicAuthenticator) {
		people = append(people, basic)
		executors = append(executors, basic)
		n.Secrets = append(n.Secrets, string(a.credentials))
	}
	if key != nil {
		n.Secrets = append(n.Secrets, string(a.key))
		if slices.Contains(names, tokenAuthenticator) {
			executors = append(executors, guard.Bearer(key, nil))
		}
	}
	proofs := make(map[guard.Realm][]guard.Proof)
	for realm, asked := range map[guard.Realm]struct {
		asked bool
		flag  string
		by    []guard.Proof
	}{
		agentapi.ReadOnly:  {a.readOnly, "authenticate_http_readonly", people},
		agentapi.ReadWrite: {a.readWrite, "authenticate_http_readwrite", executors},
		agentapi.Executor:  {a.executors, "authenticate_http_executors", executors},
	} {
		if !asked.asked {
			continue
		}
		if len(asked.by) == 0 {
			return nil, usageError{fmt.Errorf("--%s: nobody could prove anything by --http_authenticators=%s", asked.flag, a.authenticators)}
		}
		proofs[realm] = asked.by
	}
	if len(proofs) > 0 {
		n.Guard = guard.New(agentapi.Realms.RealmOf, proofs)
	}
	return key, nil
}

// localAccess is that of a whole cluster: what the master asks for, all agents do.
type localAccess struct {
	master masterAccess
	agent  agentAccess
	as     proofFlags // who the command itself is
}

func (l *localAccess) add(set *pflag.FlagSet) {
	l.master.add(set)
	l.agent.addExecutors(set)
	l.as.add(set)
}

// put makes the guards of the master and of the agents, and gives the key that
// signs tokens, nil without one.
func (l *localAccess) put(master, agent *daemon.Network) (key []byte, err error) {
	if err := l.master.put(master); err != nil {
		return nil, err
	}
	if l.master.readOnly && l.as.secret == "" {
		return nil, usageError{errors.New("--authenticate_http_readonly needs --principal and --secret: the command itself asks who has registered")}
	}
	l.agent.accessFlags = l.master.accessFlags
	l.agent.authenticators = "" // those that its other flags need
	return l.agent.put(agent)
}

// readKey reads --jwt_secret_key: all of the file is the key.
func (a *agentAccess) readKey() ([]byte, error) {
	if a.key == "" {
		if a.executors {
			return nil, usageError{errors.New("--authenticate_http_executors needs --jwt_secret_key")}
		}
		return nil, nil
	}
	key, err := readSecret("jwt_secret_key", a.key)
	if err == nil && len(key) == 0 {
		err = flagError("jwt_secret_key", string(a.key), "is empty")
	}
	return key, err
}

// basic takes the principals of the credentials; nil when nobody is to be
// asked. more are flags that need them beside those of every daemon.
func (a *accessFlags) basic(more map[string]bool) (guard.Proof, error) {
	if a.credentials == "" {
		for _, f := range []struct {
			name string
			set  bool
		}{{"authenticate_http_readonly", a.readOnly}, {"authenticate_http_readwrite", a.readWrite}, {"authenticate_http_frameworks", more["authenticate_http_frameworks"]}} {
			if f.set {
				return nil, usageError{fmt.Errorf("--%s needs --%s", f.name, a.named)}
			}
		}
		return nil, nil
	}
	text, err := readSecret(a.named, a.credentials)
	if err != nil {
		return nil, err
	}
	known, err := credentials.Parse(text)
	if err != nil {
		return nil, usageError{fmt.Errorf("--%s=%q: %w", a.named, a.credentials, err)}
	}
	return guard.Basic(known), nil
}

// maxSecrets bounds a file of secrets, in bytes.
const maxSecrets = 4 << 20

func readSecret(name string, path flags.Path) (text []byte, err error) {
	file, err := os.Open(string(path))
	if err != nil {
		return nil, usageError{fmt.Errorf("--%s: %w", name, err)}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if text, err = io.ReadAll(io.LimitReader(file, maxSecrets+1)); err != nil {
		return nil, usageError{fmt.Errorf("--%s: %w", name, err)}
	}
	if len(text) > maxSecrets {
		return nil, flagError(name, string(path), fmt.Sprintf("is over the limit of %d bytes", maxSecrets))
	}
	return text, nil
}

// chosen splits a list of authenticators, which must be among those that there
// are.
func chosen(flag, value string, known ...string) ([]string, error) {
	names := list(value)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, flagError(flag, value, fmt.Sprintf("has %q, which is none of %q", name, known))
		}
	}
	if len(names) == 0 {
		return nil, flagError(flag, value, "names none")
	}
	return names, nil
}
