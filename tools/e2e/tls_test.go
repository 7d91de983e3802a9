package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	a.key = a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(template, template, a.key, filepath.Join(dir, "ca.pem"))
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey, path string) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(path, "CERTIFICATE", der)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) write(path, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue makes a certificate for name, and returns the flags that use it.
func (a *authority) issue(name string) []string {
	a.t.Helper()
	key := a.newKey()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, private := filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	a.write(private, "EC PRIVATE KEY", der)
	a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}, a.cert, key, cert)
	return []string{"--tls_cert=" + cert, "--tls_key=" + private, "--tls_ca=" + filepath.Join(a.dir, "ca.pem")}
}

// With certificates everything works as without, and nobody without one gets in.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	a := newAuthority(t, filepath.Join(w.dir, "authority"))
	c := w.separate(a.issue("everybody")...)
	w.do("run", "--", "echo", "secret").check(t, "run", 0, "^secret\n$", "TASK_FINISHED")
	w.do("agents").check(t, "agents", 0, "active", "^$")
	task := w.startSleeper("kept")
	c.agent.kill()
	c.startAgent()
	c.endSleeper(task)

	master := c.flags[0]
	w.only("agents", master).check(t, "without certificate", 1, "^$", "does not answer|400|HTTPS")
	stranger := newAuthority(t, filepath.Join(w.dir, "stranger")).issue("stranger")
	w.only(append([]string{"agents", master}, stranger...)...).check(t, "with a stranger's certificate", 1, "^$", "certificate")
	w.only(append([]string{"run", master}, append(stranger, "--", "true")...)...).check(t, "run by a stranger", 1, "^$", "certificate")
	mallory := w.start(append([]string{
		"agent", "--port=0", master, "--work_dir=" + filepath.Join(w.dir, "mallory"), "--registration_backoff_factor=50ms",
	}, stranger...)...)
	mallory.Await(mallory.Err, `(?i)certificate|handshake|unknown authority|link to the master broke`)
	if r := w.do("agents", "--json"); r.code != 0 || len(jsonList(t, r.out)) != 1 {
		t.Errorf("a stranger's agent was admitted: %+v", r)
	}
	mallory.Signal(syscall.SIGTERM)
	mallory.wait()
	c.end()
}

// The mappers of the demo are executors in processes of their own: they find
// what they need in their environment.
func TestTLSForCustomExecutors(t *testing.T) {
	w := newWorld(t)
	certificate := newAuthority(t, filepath.Join(w.dir, "authority")).issue("local")
	d := w.local(append([]string{"--demo"}, certificate...)...)
	d.Await(d.Out, `(?m)^\d+ words counted; the most frequent:  the \d+`)
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "demo after SIGINT", 0, "https://", "^$")
}

func TestLocalTLS(t *testing.T) {
	w := newWorld(t)
	w.flags = nil
	certificate := newAuthority(t, filepath.Join(w.dir, "authority")).issue("local")
	d := w.local(append([]string{"--agents=1"}, certificate...)...)
	w.flags = append(w.flags, certificate...)
	w.do("run", "--", "echo", "secret").check(t, "run", 0, "^secret\n$", "TASK_FINISHED")
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "local after SIGINT", 0, "https://", "^$")
}
