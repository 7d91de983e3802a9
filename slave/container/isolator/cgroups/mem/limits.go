package mem

import (
	"errors"
	"math"
	"strconv"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
)

// Files of version 1.
const (
	softLimit1 = "memory.soft_limit_in_bytes"
	hardLimit1 = "memory.limit_in_bytes"
	swapLimit1 = "memory.memsw.limit_in_bytes"
)

// unlimited1 is what version 1 says of a group without a limit, and less than
// version 2 does: the largest number of pages, which are of 64 KB at most.
const unlimited1 = math.MaxInt64 &^ (1<<16 - 1)

// Files of version 2.
const (
	softLimit2 = "memory.low"
	hardLimit2 = "memory.max"
)

// set writes the limits of a container. The first time the hard limit is set
// whatever it was.
func (i *Isolator) set(c *isolator.Container, first bool) error {
	if c.Shared {
		return nil
	}
	dir := i.Dir(0, c)
	soft, hard := limits(c.Amounts)
	if i.Unified() {
		return i.set2(dir, soft, hard, first)
	}
	if err := cgroups.Write(dir, softLimit1, bytesText(soft, "-1")); err != nil {
		return err
	}
	return i.set1(dir, hard, first)
}

// set1 sets the hard limit. That of memory with swap is never below that of
// memory: the kernel refuses each in the wrong order.
func (i *Isolator) set1(dir string, hard uint64, first bool) error {
	now, err := cgroups.Number(dir, hardLimit1)
	if err != nil {
		return err
	}
	if hard <= now && !first {
		return nil
	}
	order := []string{hardLimit1}
	if i.settings.LimitSwap {
		order = []string{hardLimit1, swapLimit1}
		if hard > now {
			order = []string{swapLimit1, hardLimit1}
		}
	}
	for _, file := range order {
		if err := cgroups.Write(dir, file, bytesText(hard, "-1")); err != nil {
			return lowered(err)
		}
	}
	return nil
}

// lowered explains the kernel's refusal.
func lowered(err error) error {
	if errors.Is(err, unix.EBUSY) {
		return errors.Join(err, errors.New("more is in use already, by what an earlier attempt has left in this group"))
	}
	return err
}

func (i *Isolator) set2(dir string, soft, hard uint64, first bool) error {
	if err := cgroups.Write(dir, softLimit2, bytesText(soft, "max")); err != nil {
		return err
	}
	if i.settings.LimitSwap && first {
		// Memory and swap together are within the limit if nothing is swapped.
		if err := cgroups.Write(dir, "memory.swap.max", "0"); err != nil {
			return err
		}
	}
	now, err := cgroups.Number(dir, hardLimit2)
	if err != nil {
		return err
	}
	if hard <= now && !first {
		return nil
	}
	return cgroups.Write(dir, hardLimit2, bytesText(hard, "max"))
}

func bytesText(n uint64, none string) string {
	if n == unlimited {
		return none
	}
	return strconv.FormatUint(n, 10)
}
