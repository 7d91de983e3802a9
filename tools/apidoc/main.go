// Apidoc writes docs/http-api.md: it starts a master and an agent, makes every
// request that they know, and notes what is answered. What differs from run to
// run (ids, times, ports) has fixed values on the page. From anywhere in the
// module:
//
//	go run ./tools/apidoc
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:generate go run .

// patience bounds the whole run.
const patience = 3 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := write(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "apidoc:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context) error {
	path, err := pagePath(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "troupe-apidoc-")
	if err != nil {
		return err
	}
	page, err := play(ctx, dir)
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(page.render()), 0o644)
}

// pagePath is where the page is in this module.
func pagePath(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "docs", "http-api.md"), nil
}

// play plays the script. All that it writes is in dir.
func play(ctx context.Context, dir string) (p *page, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	c, err := startMaster(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	s := newScript(ctx, c)
	return s.page, s.run()
}
