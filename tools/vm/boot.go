package vm

import (
	"context"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
)

// makeImage writes all that the machine has: busybox, modules, files, programs,
// and the script that is its init.
func (m Machine) makeImage(ctx context.Context, k kernel, to string, programs []Program) error {
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	defer f.Close()
	busybox, err := k.busybox()
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	modules, err := moduleFiles(k, m.Modules)
	if err != nil {
		return err
	}
	i := newImage(f)
	for _, dir := range []string{"proc", "sys", "dev", "tmp", "root", "work", "etc", "run", "var/tmp", "usr/bin", "usr/sbin", "sbin", "mnt"} {
		i.folder(dir)
	}
	i.file("/bin/busybox", busybox)
	i.text("/etc/hostname", "vm\n", 0o644)
	i.text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n", 0o644)
	i.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
	for _, file := range modules {
		i.file(path.Join("/modules", path.Base(file)), k.modules()+"/"+file)
	}
	for name, from := range m.Files {
		i.file(name, from)
	}
	if err := m.addBinaries(ctx, k, i); err != nil {
		return err
	}
	for n, p := range programs {
		i.file(fmt.Sprintf("/programs/%d/%s", n, path.Base(p.Path)), p.Path)
	}
	i.text("/init", m.script(modules, programs), 0o755)
	return i.close()
}

// library is a path in the output of ldd.
var library = regexp.MustCompile(`/[^ )]+`)

func (m Machine) addBinaries(ctx context.Context, k kernel, i *image) error {
	for _, b := range m.Binaries {
		if !k.arch.native() {
			if err := k.addPackaged(i, b); err != nil {
				return fmt.Errorf("vm: %w", err)
			}
			continue
		}
		i.file(b, b)
		out, err := command(ctx, "/", "ldd", b)
		if err != nil {
			return fmt.Errorf("vm: %w", err)
		}
		for _, file := range library.FindAllString(out, -1) {
			i.file(file, file)
		}
	}
	return nil
}

// script is the init.
func (m Machine) script(modules []string, programs []Program) string {
	var b strings.Builder
	// The first root of a machine cannot be left by pivot_root(2).
	b.WriteString(`#!/bin/busybox sh
if [ "$1" != again ]; then
  cd /mnt && /bin/busybox mount -o bind / . && cd /mnt && /bin/busybox mount -o move . / && exec /bin/busybox chroot . /init again
fi
/bin/busybox --install -s /bin 2>/dev/null; /bin/busybox --install -s /usr/bin 2>/dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp GOTRACEBACK=all
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t tmpfs tmpfs /tmp; chmod 1777 /tmp
ip link set lo up; hostname vm
stty -F /dev/ttyS1 raw -echo
`)
	b.WriteString(scripts[m.Groups])
	b.WriteString("cd /work\n")
	for _, file := range modules {
		fmt.Fprintf(&b, "insmod /modules/%s\n", path.Base(file))
	}
	for n, p := range programs {
		b.WriteString("( ")
		for _, e := range p.Env {
			fmt.Fprintf(&b, "export %s; ", quote(e))
		}
		fmt.Fprintf(&b, "exec %s", quote(fmt.Sprintf("/programs/%d/%s", n, path.Base(p.Path))))
		for _, a := range p.Args {
			b.WriteString(" " + quote(a))
		}
		// The line begins anew, whatever the program has written last.
		fmt.Fprintf(&b, " )\ncode=$?; echo; echo \"VM-EXIT %d $code\"\n", n)
	}
	b.WriteString("poweroff -f\n")
	return b.String()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
