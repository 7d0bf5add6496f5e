package sse

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestSlowReadsLittleAndThenAsOthersDo(t *testing.T) {
	from := strings.NewReader("0123456789")
	body := &slow{from: from, ctx: context.Background(), pause: time.Millisecond, bytes: 2, left: 2}
	var sizes []int
	for into := make([]byte, 100); ; {
		count, err := body.Read(into)
		if errors.Is(err, io.EOF) {
			break
		}
		sizes = append(sizes, count)
	}
	if len(sizes) != 3 || sizes[0] != 2 || sizes[1] != 2 || sizes[2] != 6 {
		t.Error(sizes)
	}
}

func TestSlowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	body := &slow{from: strings.NewReader("text"), ctx: ctx, pause: time.Hour, bytes: 1, left: -1}
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCountedKeepsNoMoreThanItsBound(t *testing.T) {
	length := textBytesMax + 10
	for _, keep := range []bool{true, false} {
		body := &counted{from: strings.NewReader(strings.Repeat("x", length)), keep: keep}
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Fatal(err)
		}
		want := map[bool]int{true: textBytesMax, false: 0}[keep]
		if body.bytes != int64(length) || len(body.text) != want {
			t.Error(keep, body.bytes, len(body.text))
		}
	}
}
