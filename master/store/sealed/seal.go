package sealed

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed is data after its checksum.
func sealed(data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli)), data...)
}

// unsealed takes the checksum off, or tells that the data are not what was
// sealed.
func unsealed(value []byte) ([]byte, error) {
	if len(value) < 4 {
		return nil, errors.New("it is absent or cut off")
	}
	if data := value[4:]; crc32.Checksum(data, castagnoli) == binary.BigEndian.Uint32(value) {
		return data, nil
	}
	return nil, errors.New("its checksum is wrong")
}
