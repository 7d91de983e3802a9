package commands

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"troupe/executor"
)

// tlsFlags name the certificates of a process: with them it proves who it is
// and talks only to peers that do the same.
type tlsFlags struct {
	cert, key, ca string
}

func (t *tlsFlags) add(set *pflag.FlagSet) {
	set.StringVar(&t.cert, "tls_cert", "", "this process's certificate, a PEM file; with --tls_key and --tls_ca all traffic is mutual TLS")
	set.StringVar(&t.key, "tls_key", "", "its private key, a PEM file")
	set.StringVar(&t.ca, "tls_ca", "", "the authorities that peers' certificates must come from, a PEM file")
}

// server is the configuration of a process that listens, nil without flags.
func (t *tlsFlags) server() (*tls.Config, error) {
	if t.cert == "" && t.key == "" && t.ca == "" {
		return nil, nil
	}
	if t.cert == "" || t.key == "" || t.ca == "" {
		return nil, usageError{errors.New("--tls_cert, --tls_key and --tls_ca go together: one of them is missing")}
	}
	pair, err := tls.LoadX509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, fmt.Errorf("--tls_cert=%q --tls_key=%q: %w", t.cert, t.key, err)
	}
	text, err := os.ReadFile(t.ca)
	if err != nil {
		return nil, fmt.Errorf("--tls_ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--tls_ca=%q holds no certificate", t.ca)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		RootCAs:      authorities,
		ClientCAs:    authorities,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}, nil
}

// client is the configuration of a process that only dials.
func (t *tlsFlags) client() (*tls.Config, error) { return t.server() }

// executorEnvironment is what an executor in a process of its own needs.
func (t *tlsFlags) executorEnvironment() ([]string, error) {
	if t.cert == "" {
		return nil, nil
	}
	var list []string
	for _, v := range [][2]string{{executor.EnvironmentCert, t.cert}, {executor.EnvironmentKey, t.key}, {executor.EnvironmentCA, t.ca}} {
		path, err := filepath.Abs(v[1]) // it works in its sandbox
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v[1], err)
		}
		list = append(list, v[0]+"="+path)
	}
	return list, nil
}

// args are the flags as another process of this program takes them.
func (t *tlsFlags) args() []string {
	if t.cert == "" {
		return nil
	}
	return []string{"--tls_cert=" + t.cert, "--tls_key=" + t.key, "--tls_ca=" + t.ca}
}
