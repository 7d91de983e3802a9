package cgrouptest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// variable names the program that a test binary is, instead of tests.
const variable = "TROUPE_CGROUPTEST"

// Main is for TestMain: what it returns is for os.Exit. Programs wait for a line of input, as what starts them
// moves them into their groups first:
//
//	hog MIB      uses that much memory, says "survived", and lives until its input ends
//	huge MIB     uses that much memory in huge pages; says "survived", or that there were too few
//	spin CPU     uses all of one CPU
//	fork N       starts N programs; says how many came to life
//	open PATH…   opens devices to read and to write; says how that went for each
//	write PATH MIB  writes a file past the page cache
//	cache PATH MIB  writes a file through it
//	mknod PATH MAJOR MINOR  makes a character device, and opens it
//	class        says which class the kernel gives to packets of a socket
//	wait         until its input ends
func Main(m *testing.M) int {
	name := os.Getenv(variable)
	if name == "" {
		return m.Run()
	}
	in := bufio.NewReader(os.Stdin)
	_, err := in.ReadString('\n')
	if err == nil {
		err = run(name, os.Args[1:], in)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func run(name string, arguments []string, in *bufio.Reader) error {
	switch name {
	case "hog":
		return hog(arguments[0], in)
	case "huge":
		return huge(arguments[0])
	case "class":
		n, err := class()
		fmt.Printf("%#x\n", n)
		return err
	case "spin":
		return spin(arguments[0])
	case "fork":
		return fork(arguments[0])
	case "open":
		for _, path := range arguments {
			fmt.Println(path, opened(path))
		}
		return nil
	case "write":
		return write(arguments[0], arguments[1], unix.O_DIRECT)
	case "cache":
		return write(arguments[0], arguments[1], 0)
	case "mknod":
		return mknod(arguments[0], arguments[1], arguments[2])
	case "wait":
		_, err := in.ReadString('\n')
		return err
	default:
		return fmt.Errorf("no program %q", name)
	}
}

func hog(mib string, in *bufio.Reader) error {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	memory, err := unix.Mmap(-1, 0, n<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	for at := 0; at < len(memory); at += 4096 {
		memory[at] = 1
	}
	fmt.Println("survived")
	_, err = in.ReadString('\n')
	return err
}

func huge(mib string) (err error) {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	memory, err := unix.Mmap(-1, 0, n<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_HUGETLB)
	if err != nil {
		return err
	}
	at := 0
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("no more than %d MiB", at>>20)
		}
	}()
	for ; at < len(memory); at += 2 << 20 {
		memory[at] = 1
	}
	fmt.Println("survived")
	return nil
}

func spin(cpu string) error {
	n, err := strconv.Atoi(cpu)
	if err != nil {
		return err
	}
	var set unix.CPUSet
	set.Set(n)
	// Every thread, as the loop may run on any.
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return err
		}
	}
	for i := 0; ; i++ {
		if i < 0 {
			return nil
		}
	}
}

func fork(count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var children []*exec.Cmd
	var failed error
	for len(children) < n && failed == nil {
		c := exec.Command(self)
		c.Env = append(os.Environ(), variable+"=wait")
		if _, err := c.StdinPipe(); err != nil {
			return err
		}
		if failed = c.Start(); failed == nil {
			children = append(children, c)
		}
	}
	fmt.Println(len(children), failed)
	for _, c := range children {
		if err := c.Process.Kill(); err != nil {
			return err
		}
		_ = c.Wait() // it was killed
	}
	return nil
}

// opened says how to open a device went.
func opened(path string) string {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err.Error()
	}
	unix.Close(fd)
	return "ok"
}

func write(path, mib string, flags int) error {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	fd, err := unix.Open(path, flags|unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// O_DIRECT wants whole pages.
	block, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	for range n {
		if _, err := unix.Write(fd, block); err != nil {
			return err
		}
	}
	return nil
}

func mknod(path, major, minor string) error {
	ma, err := strconv.ParseUint(major, 10, 32)
	if err != nil {
		return err
	}
	mi, err := strconv.ParseUint(minor, 10, 32)
	if err != nil {
		return err
	}
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(uint32(ma), uint32(mi)))); err != nil {
		return fmt.Errorf("mknod: %w", err)
	}
	fmt.Println("made; open:", opened(path))
	return nil
}
