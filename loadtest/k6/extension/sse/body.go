package sse

import (
	"context"
	"io"
	"time"
)

// counted counts the bytes of a body, and keeps the first of them when it is asked to.
type counted struct {
	from  io.Reader
	keep  bool
	bytes int64
	text  []byte
}

func (c *counted) Read(into []byte) (int, error) {
	count, err := c.from.Read(into)
	c.bytes += int64(count)
	if room := textBytesMax - len(c.text); c.keep && room > 0 {
		c.text = append(c.text, into[:min(count, room)]...)
	}
	return count, err
}

// slow waits before each read, and reads a little.
type slow struct {
	from  io.Reader
	ctx   context.Context //nolint:containedctx // ends the wait with the call
	pause time.Duration
	bytes int
	// Pauses that are left; below 0: without end.
	left int
}

func (s *slow) Read(into []byte) (int, error) {
	if s.left == 0 {
		return s.from.Read(into)
	}
	s.left--
	timer := time.NewTimer(s.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	return s.from.Read(into[:min(len(into), s.bytes)])
}

func (c *call) paced(body io.Reader) io.Reader {
	if c.params.ReadPauseMs == 0 {
		return body
	}
	pause := time.Duration(c.params.ReadPauseMs) * time.Millisecond
	left := c.params.ReadPauses
	if left == 0 {
		left = -1
	}
	return &slow{from: body, ctx: c.ctx, pause: pause, bytes: max(1, c.params.ReadBytes), left: left}
}

func (c *call) bufferBytes() int {
	if c.params.ReadPauseMs == 0 {
		return bufferBytes
	}
	return slowBufferSize
}
