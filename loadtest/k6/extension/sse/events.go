package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// eventBytesMax bounds what one event may hold: a server that never ends an event must not fill the memory.
const eventBytesMax = 8 << 20

var errEventTooLong = errors.New("an event is longer than 8 MiB")

// event is one event of a stream, as the HTML standard's section "Server-sent events" defines it.
type event struct {
	id, name, data string
}

// events reads events off a stream, one at a time.
type events struct {
	lines *bufio.Reader
}

func newEvents(body io.Reader, bufferBytes int) *events {
	return &events{lines: bufio.NewReaderSize(body, bufferBytes)}
}

// next returns the next event; io.EOF after the last one. An event that the end of the stream cuts off is no event.
func (e *events) next() (event, error) {
	var (
		found event
		data  []byte
		seen  bool
	)
	for {
		line, err := e.line(eventBytesMax - len(data))
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if seen {
				found.data = string(bytes.TrimSuffix(data, []byte("\n")))
				return found, nil
			}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			data = append(append(data, value...), '\n')
			seen = true
		case "event":
			found.name = string(value)
		case "id":
			found.id = string(value)
		}
	}
}

// line returns the next line without its end, which is LF or CR LF: no gateway sends the lone CR that the standard allows.
func (e *events) line(bytesMax int) ([]byte, error) {
	var whole []byte
	for {
		part, err := e.lines.ReadSlice('\n')
		whole = append(whole, part...)
		switch {
		case len(whole) > bytesMax:
			return nil, errEventTooLong
		case err == nil:
			return bytes.TrimSuffix(whole[:len(whole)-1], []byte("\r")), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
