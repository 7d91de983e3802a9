// Package pages tells whether a bbolt file is sound, before bbolt looks at more
// of it than its head: over damaged pages bbolt panics, or walks in circles for
// ever. It knows bbolt's second version of the format. Stores of the registry
// import it.
//
// A file is pages of equal size. The first two are metas, of which the valid one
// with the higher transaction counts; it leads to the root, a tree of branch and
// leaf pages, whose values may hold trees of their own, and to the list of free
// pages:
//
//	page   id 8, flags 2, count 2, overflow 4, elements…, their keys and values
//	branch position 4, key 4, page 8
//	leaf   flags 4, position 4, key 4, value 4
//	meta   magic 4, version 4, page size 4, flags 4, root 8+8, free 8, end 8, transaction 8, sum 8
package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

const (
	headBytes    = 16 // of a page, and of an element
	metaBytes    = 64
	magic        = 0xED0CDAED
	version      = 2
	branchPage   = 0x01
	leafPage     = 0x02
	freePage     = 0x10
	bucketValue  = 0x01
	noFreeList   = 1<<64 - 1
	manyElements = 0xFFFF // the count is in the first element
)

var little = binary.LittleEndian

// Check reads all of a file that nobody writes meanwhile, and returns the first
// thing that is wrong with its pages.
func Check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c := &check{file: f, used: make(map[uint64]bool)}
	if err := c.meta(); err != nil {
		return err
	}
	if err := c.tree(c.root, nil); err != nil {
		return err
	}
	return c.freeList()
}

type check struct {
	file             io.ReaderAt
	size             uint64 // of a page
	root, free, last uint64 // last is the first page behind the end
	used             map[uint64]bool
}

// meta finds the one of the two that counts, as bbolt does.
func (c *check) meta() error {
	newest := uint64(0)
	for at := range int64(2) {
		// Where the second is depends on the page size: of the first, or the
		// system's if that is spoiled.
		size := int64(c.size)
		if size == 0 {
			size = int64(os.Getpagesize())
		}
		m := make([]byte, metaBytes)
		if _, err := c.file.ReadAt(m, at*size+headBytes); err != nil {
			continue // the file is too short for it
		}
		sum := fnv.New64a()
		sum.Write(m[:metaBytes-8])
		transaction := little.Uint64(m[48:])
		if little.Uint32(m) != magic || little.Uint32(m[4:]) != version || little.Uint64(m[56:]) != sum.Sum64() || c.size > 0 && transaction < newest {
			continue
		}
		newest = transaction
		c.size, c.root, c.free, c.last = uint64(little.Uint32(m[8:])), little.Uint64(m[16:]), little.Uint64(m[32:]), little.Uint64(m[40:])
	}
	if c.size < 512 || c.size > 1<<16 {
		return errors.New("it has no head")
	}
	return nil
}

// page reads a page with those that continue it, none of which was met before.
func (c *check) page(id uint64) ([]byte, error) {
	if id < 2 || id >= c.last {
		return nil, fmt.Errorf("page %d of %d", id, c.last)
	}
	head := make([]byte, headBytes)
	if _, err := c.file.ReadAt(head, int64(id*c.size)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(little.Uint32(head[12:]))
	if little.Uint64(head) != id || more >= c.last-id {
		return nil, fmt.Errorf("page %d says that it is page %d, and %d more", id, little.Uint64(head), more)
	}
	for i := id; i <= id+more; i++ {
		if c.used[i] {
			return nil, fmt.Errorf("page %d is met twice", i)
		}
		c.used[i] = true
	}
	data := make([]byte, (1+more)*c.size)
	if _, err := c.file.ReadAt(data, int64(id*c.size)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return data, nil
}

// tree checks a page and what it leads to. Its first key is the one that led
// there, if any did: bbolt finds the parent's element by it when it writes.
func (c *check) tree(id uint64, first []byte) error {
	data, err := c.page(id)
	if err != nil {
		return err
	}
	if err := c.elements(data, first); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// elements checks those of a branch or leaf, and what they lead to.
func (c *check) elements(page, first []byte) error {
	kind, count := little.Uint16(page[8:]), int(little.Uint16(page[10:]))
	if kind != branchPage && kind != leafPage || count == 0 && (kind == branchPage || first != nil) {
		return fmt.Errorf("it is of kind %#x with %d elements", kind, count)
	}
	if (count+1)*headBytes > len(page) {
		return fmt.Errorf("%d elements are more than it has room for", count)
	}
	var before []byte
	for i := range count {
		at := headBytes + i*headBytes
		var key []byte
		var err error
		if kind == branchPage {
			key, err = c.branch(page, at)
		} else {
			key, err = c.leaf(page, at)
		}
		switch {
		case err != nil:
			return fmt.Errorf("element %d: %w", i, err)
		case bytes.Compare(before, key) >= 0: // nor is it empty
			return fmt.Errorf("element %d is not in order", i)
		case i == 0 && first != nil && !bytes.Equal(first, key):
			return errors.New("another key led to it than its first")
		}
		before = key
	}
	return nil
}

func (c *check) branch(page []byte, at int) (key []byte, err error) {
	key, _, err = span(page, at, little.Uint32(page[at:]), little.Uint32(page[at+4:]), 0)
	if err != nil {
		return nil, err
	}
	return key, c.tree(little.Uint64(page[at+8:]), key)
}

func (c *check) leaf(page []byte, at int) (key []byte, err error) {
	key, value, err := span(page, at, little.Uint32(page[at+4:]), little.Uint32(page[at+8:]), little.Uint32(page[at+12:]))
	if err != nil || little.Uint32(page[at:])&bucketValue == 0 {
		return key, err
	}
	if len(value) < headBytes {
		return nil, errors.New("a bucket without a head")
	}
	if root := little.Uint64(value); root != 0 {
		return key, c.tree(root, nil)
	}
	inline := value[headBytes:] // a small bucket is a page within the value
	if len(inline) < headBytes || little.Uint64(inline) != 0 || little.Uint16(inline[8:]) != leafPage {
		return nil, errors.New("a bucket within a page that is none")
	}
	return key, c.elements(inline, nil)
}

// span is the key and the value of an element.
func span(page []byte, at int, position, keyBytes, valueBytes uint32) (key, value []byte, err error) {
	from := uint64(at) + uint64(position)
	middle, end := from+uint64(keyBytes), from+uint64(keyBytes)+uint64(valueBytes)
	if end > uint64(len(page)) {
		return nil, nil, fmt.Errorf("it ends at byte %d of %d", end, len(page))
	}
	return page[from:middle], page[middle:end], nil
}

// freeList checks that no page is free that is used.
func (c *check) freeList() error {
	if c.free == noFreeList {
		return nil
	}
	page, err := c.page(c.free)
	if err != nil {
		return fmt.Errorf("free pages: %w", err)
	}
	list, count := page[headBytes:], uint64(little.Uint16(page[10:]))
	if count == manyElements {
		count, list = little.Uint64(list), list[8:]
	}
	if little.Uint16(page[8:]) != freePage || count > uint64(len(list)/8) {
		return fmt.Errorf("free pages: page %d is of kind %#x with %d elements", c.free, little.Uint16(page[8:]), count)
	}
	for i := range count {
		id := little.Uint64(list[i*8:])
		if id < 2 || id >= c.last || c.used[id] {
			return fmt.Errorf("free pages: page %d of %d is used, there twice, or none", id, c.last)
		}
		c.used[id] = true
	}
	return nil
}
