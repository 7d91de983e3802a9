package executor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troupe/executor"
)

// identity writes a certificate that vouches for itself, and its key.
func identity(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	kder, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert", "CERTIFICATE", der), write("key", "EC PRIVATE KEY", kder)
}

func TestTLSFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	cert, key := identity(t, dir)
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, cert, key, ca string
		want                string // in the error
	}{
		{"whole", cert, key, cert, ""},
		{"no certificate", "", key, cert, executor.EnvironmentCert},
		{"no key", cert, "", cert, executor.EnvironmentKey},
		{"no authority", cert, key, "", executor.EnvironmentCA},
		{"key that is none", cert, cert, cert, cert},
		{"file that is none", cert, key, dir + "/none", dir + "/none"},
		{"authority that is none", cert, key, empty, empty},
	} {
		env := map[string]string{executor.EnvironmentCert: c.cert, executor.EnvironmentKey: c.key, executor.EnvironmentCA: c.ca}
		got, err := executor.TLSFromEnvironment(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if c.want == "" {
			if err != nil || got == nil || got.ClientAuth != tls.RequireAndVerifyClientCert || len(got.Certificates) != 1 {
				t.Errorf("%s: %v, %v", c.name, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that names %s", c.name, err, c.want)
		}
	}
	if got, err := executor.TLSFromEnvironment(func(string) (string, bool) { return "", false }); got != nil || err != nil {
		t.Errorf("without variables: %v, %v", got, err)
	}
}
