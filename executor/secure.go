package executor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"troupe/messages/field"
)

// The files that an executor in a process of its own proves with who it is,
// where a cluster wants that; the agent names them, as Mesos does.
const (
	EnvironmentCert = "LIBPROCESS_SSL_CERT_FILE"
	EnvironmentKey  = "LIBPROCESS_SSL_KEY_FILE"
	EnvironmentCA   = "LIBPROCESS_SSL_CA_FILE"
)

// TLSFromEnvironment reads the files that the environment names; nil when it
// names none. Errors name the variable and the file.
func TLSFromEnvironment(lookup func(string) (string, bool)) (*tls.Config, error) {
	files := map[string]string{}
	for _, name := range []string{EnvironmentCert, EnvironmentKey, EnvironmentCA} {
		if v, _ := lookup(name); v != "" {
			files[name] = v
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	for _, name := range []string{EnvironmentCert, EnvironmentKey, EnvironmentCA} {
		if files[name] == "" {
			return nil, fmt.Errorf("executor environment: %w", field.Missing(name))
		}
	}
	pair, err := tls.LoadX509KeyPair(files[EnvironmentCert], files[EnvironmentKey])
	if err != nil {
		return nil, fmt.Errorf("executor environment: %s=%q, %s=%q: %w",
			EnvironmentCert, files[EnvironmentCert], EnvironmentKey, files[EnvironmentKey], err)
	}
	text, err := os.ReadFile(files[EnvironmentCA])
	if err != nil {
		return nil, fmt.Errorf("executor environment: %s: %w", EnvironmentCA, err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("executor environment: %w", field.Invalid(EnvironmentCA, files[EnvironmentCA], "holds no certificate"))
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair},
		RootCAs: authorities, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}
