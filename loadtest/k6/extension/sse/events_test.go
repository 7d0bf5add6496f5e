package sse

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(stream io.Reader) ([]event, error) {
	reader := newEvents(stream, 16)
	var all []event
	for {
		one, err := reader.next()
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
}

func TestEvents(t *testing.T) {
	long := strings.Repeat("x", 5_000)
	for name, each := range map[string]struct {
		stream string
		want   []event
	}{
		"one":              {"data: a\n\n", []event{{data: "a"}}},
		"two":              {"data: a\n\ndata: b\n\n", []event{{data: "a"}, {data: "b"}}},
		"CR LF":            {"data: a\r\n\r\n", []event{{data: "a"}}},
		"no blank":         {"data:a\n\n", []event{{data: "a"}}},
		"several lines":    {"data: a\ndata: b\n\n", []event{{data: "a\nb"}}},
		"comments":         {": ping\n\n:\ndata: a\n\n", []event{{data: "a"}}},
		"name and id":      {"event: e\nid: 7\ndata: a\n\n", []event{{id: "7", name: "e", data: "a"}}},
		"cut off":          {"data: a\n\ndata: b\n", []event{{data: "a"}}},
		"beyond a buffer":  {"data: " + long + "\n\n", []event{{data: long}}},
		"a colon in value": {"data: a:b\n\n", []event{{data: "a:b"}}},
	} {
		for how, stream := range map[string]io.Reader{
			"whole":        strings.NewReader(each.stream),
			"byte by byte": iotest.OneByteReader(strings.NewReader(each.stream)),
		} {
			got, err := readAll(stream)
			if !errors.Is(err, io.EOF) || !reflect.DeepEqual(got, each.want) {
				t.Errorf("%s, %s: %v, %v", name, how, got, err)
			}
		}
	}
}

func TestEventWithoutEnd(t *testing.T) {
	_, err := readAll(strings.NewReader("data: " + strings.Repeat("x", eventBytesMax+1)))
	if !errors.Is(err, errEventTooLong) {
		t.Error(err)
	}
}
