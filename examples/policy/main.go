// Command policy decides who is offered what, in place of the allocator that is
// in the master's process:
//
//	go run ./examples/policy -listen=127.0.0.1:5052
//	troupe master --allocator=allocator@127.0.0.1:5052 --work_dir=…
//
// It may end and start again at any time: the master tells it all there is.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"troupe/actors"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5052", "host:port to listen on; without certificates only the master should reach it")
	cert := flag.String("tls_cert", "", "certificate of this process, a PEM file; when the master has --tls_cert")
	key := flag.String("tls_key", "", "its private key, a PEM file")
	ca := flag.String("tls_ca", "", "the authorities that the master's certificate must come from, a PEM file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	secure, err := certificates(*cert, *key, *ca)
	if err == nil {
		err = run(ctx, *listen, secure)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, listen string, secure *tls.Config) error {
	system, err := actors.New(actors.Options{Listen: listen, TLS: secure})
	if err != nil {
		return err
	}
	pid, err := system.Spawn("allocator", new(packing))
	if err == nil {
		fmt.Printf("ready: --allocator=%s@%s\n", pid.Name, pid.Address)
		<-ctx.Done()
	}
	if closing := system.Close(context.Background()); err == nil {
		err = closing
	}
	return err
}

// certificates is what links prove themselves with; nil when no file is named.
func certificates(cert, key, ca string) (*tls.Config, error) {
	if cert == "" && key == "" && ca == "" {
		return nil, nil
	}
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("-tls_cert=%q -tls_key=%q: %w", cert, key, err)
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("-tls_ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("-tls_ca=%q holds no certificate", ca)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		RootCAs: authorities, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}
