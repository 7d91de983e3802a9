package placement

import (
	"fmt"
	"strings"

	"troupe/frameworks/service/app"
)

// ID is the id of a new instance or task of an app: "prod_web.", and a UUID made of
// 16 bytes of chance. Clients read the app from what is before the last dot.
func ID(of app.Path, chance [16]byte) string {
	chance[6] = chance[6]&0x0f | 0x40 // version 4
	chance[8] = chance[8]&0x3f | 0x80 // of the usual variant
	return fmt.Sprintf("%s.%x-%x-%x-%x-%x", of.Flat(), chance[:4], chance[4:6], chance[6:8], chance[8:10], chance[10:])
}

// AppOf is the app that an instance or task is of. The error names the id.
func AppOf(id string) (app.Path, error) {
	dot := strings.LastIndexByte(id, '.')
	if dot < 0 {
		return "", fmt.Errorf("task id %q has no dot after the app's name", id)
	}
	p, err := app.FromFlat(id[:dot])
	if err != nil {
		return "", fmt.Errorf("task id %q: %w", id, err)
	}
	if p == app.Root {
		return "", fmt.Errorf("task id %q names no app", id)
	}
	return p, nil
}

// volumeID is the id of a volume of an instance: the app, the path, and what tells
// the instance from others.
func volumeID(of app.Path, path, instance string) string {
	return of.Flat() + "#" + path + "#" + instance[strings.LastIndexByte(instance, '.')+1:]
}
