package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/netext/httpext"
	"go.k6.io/k6/metrics"
)

const (
	textBytesMax   = 1 << 20
	errorBytesMax  = 64 << 10
	bufferBytes    = 64 << 10
	slowBufferSize = 4 << 10
)

// params are the options of open.
type params struct {
	Method  string            `js:"method"`
	Body    string            `js:"body"`
	Headers map[string]string `js:"headers"`
	Tags    map[string]string `js:"tags"`
	// The statuses that are no failures, for http_req_failed.
	Expected  []int `js:"expected"`
	TimeoutMs int   `js:"timeoutMs"`
	// A regular expression: events that match are counted apart, and the time of the first one is told.
	Mark string `js:"mark"`
	// Keep the text of the stream, up to 1 MiB.
	KeepText bool `js:"keepText"`
	// A slow reader: a pause before each read of so many bytes; after so many pauses it reads as others do, 0: never.
	ReadPauseMs int `js:"readPauseMs"`
	ReadBytes   int `js:"readBytes"`
	ReadPauses  int `js:"readPauses"`
}

func defaultParams() params {
	return params{Method: http.MethodPost, Expected: []int{http.StatusOK}, TimeoutMs: 60_000, ReadBytes: slowBufferSize}
}

// outcome is what open returns. Times are milliseconds since the request began; -1: it did not happen.
type outcome struct {
	Status      int               `js:"status"`
	Headers     map[string]string `js:"headers"`
	Events      int               `js:"events"`
	Marks       int               `js:"marks"`
	Bytes       int64             `js:"bytes"`
	HeadMs      float64           `js:"headMs"`
	FirstMarkMs float64           `js:"firstMarkMs"`
	LastEventMs float64           `js:"lastEventMs"`
	GapMsMax    float64           `js:"gapMsMax"`
	// end: the body came to its end; stopped: the listener said so; canceled: k6 ends; timeout; error.
	Ended string `js:"ended"`
	// The request went over a connection that another one had used.
	Reused bool   `js:"reused"`
	Error  string `js:"error"`
	// The data of the last event.
	Last string `js:"last"`
	Text string `js:"text"`
}

type call struct {
	state  *lib.State
	params params
	mark   *regexp.Regexp
	tracer *httpext.Tracer
	url    string
	//nolint:containedctx // a call lives as long as its context
	ctx    context.Context
	vuCtx  context.Context
	cancel context.CancelFunc
	began  time.Time
}

func newCall(ctx context.Context, state *lib.State, url string, asked params) (*call, error) {
	c := &call{state: state, params: asked, tracer: &httpext.Tracer{}, url: url, vuCtx: ctx}
	if asked.Mark != "" {
		mark, err := regexp.Compile(asked.Mark)
		if err != nil {
			return nil, fmt.Errorf("the option mark: %w", err)
		}
		c.mark = mark
	}
	c.ctx, c.cancel = context.WithTimeout(ctx, time.Duration(asked.TimeoutMs)*time.Millisecond)
	return c, nil
}

func (c *call) sinceMs() float64 { return float64(time.Since(c.began).Microseconds()) / 1000 }

// run makes the request. The error is the listener's: what becomes of the request stands in the outcome.
func (c *call) run(listener func(event, float64) (bool, error)) (*outcome, error) {
	defer c.cancel()
	result := &outcome{HeadMs: -1, FirstMarkMs: -1, LastEventMs: -1, Headers: map[string]string{}}
	c.began = time.Now()
	response, err := c.send(result)
	if err != nil {
		c.ended(result, err)
		return result, nil
	}
	defer response.Body.Close()
	result.HeadMs = c.sinceMs()
	result.Status = response.StatusCode
	for name := range response.Header {
		result.Headers[strings.ToLower(name)] = response.Header.Get(name)
	}
	body := &counted{from: c.paced(response.Body), keep: c.params.KeepText}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		err = c.read(newEvents(body, c.bufferBytes()), result, listener)
	} else {
		body.keep = true
		_, readErr := io.Copy(io.Discard, io.LimitReader(body, errorBytesMax))
		c.ended(result, orEOF(readErr))
	}
	result.Bytes = body.bytes
	result.Text = string(body.text)
	return result, err
}

func (c *call) send(result *outcome) (*http.Response, error) {
	trace := c.tracer.Trace()
	gotConn := trace.GotConn
	trace.GotConn = func(info httptrace.GotConnInfo) {
		result.Reused = info.Reused
		gotConn(info)
	}
	ctx := httptrace.WithClientTrace(c.ctx, trace)
	request, err := http.NewRequestWithContext(ctx, c.params.Method, c.url, strings.NewReader(c.params.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream")
	for name, value := range c.params.Headers {
		request.Header.Set(name, value)
	}
	return c.state.Transport.RoundTrip(request)
}

func (c *call) read(stream *events, result *outcome, listener func(event, float64) (bool, error)) error {
	for {
		one, err := stream.next()
		if err != nil {
			c.ended(result, err)
			return nil
		}
		c.count(one, result)
		if listener == nil {
			continue
		}
		goOn, err := listener(one, result.LastEventMs)
		if err != nil {
			return err
		}
		if !goOn {
			result.Ended = "stopped"
			return nil
		}
	}
}

func (c *call) count(one event, result *outcome) {
	atMs := c.sinceMs()
	if result.LastEventMs >= 0 {
		result.GapMsMax = max(result.GapMsMax, atMs-result.LastEventMs)
	}
	result.LastEventMs = atMs
	result.Events++
	result.Last = one.data
	if c.mark == nil || !c.mark.MatchString(one.data) {
		return
	}
	if result.Marks == 0 {
		result.FirstMarkMs = atMs
	}
	result.Marks++
}

func (c *call) ended(result *outcome, err error) {
	switch {
	case errors.Is(err, io.EOF):
		result.Ended = "end"
	case c.vuCtx.Err() != nil:
		result.Ended = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		result.Ended = "timeout"
		result.Error = err.Error()
	default:
		result.Ended = "error"
		result.Error = err.Error()
	}
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// emit gives k6 the metrics that k6/http would have given it. A stream that its reader stopped is no failure.
func (c *call) emit(events *metrics.Metric, result *outcome) {
	tags := c.state.Tags.GetCurrentValues()
	for name, value := range c.params.Tags {
		tags.SetTag(name, value)
	}
	isExpected := slices.Contains(c.params.Expected, result.Status) && result.Error == ""
	enabled := c.state.Options.SystemTags
	name, isNamed := c.params.Tags["name"]
	if !isNamed {
		name = c.url
	}
	tags.SetSystemTagOrMetaIfEnabled(enabled, metrics.TagName, name)
	tags.SetSystemTagOrMetaIfEnabled(enabled, metrics.TagURL, name)
	tags.SetSystemTagOrMetaIfEnabled(enabled, metrics.TagMethod, c.params.Method)
	tags.SetSystemTagOrMetaIfEnabled(enabled, metrics.TagStatus, strconv.Itoa(result.Status))
	tags.SetSystemTagOrMetaIfEnabled(enabled, metrics.TagExpectedResponse, strconv.FormatBool(isExpected))
	trail := c.tracer.Done()
	trail.SaveSamples(c.state.BuiltinMetrics, &tags)
	failed := metrics.B(!isExpected)
	for metric, value := range map[*metrics.Metric]float64{
		c.state.BuiltinMetrics.HTTPReqFailed: failed,
		events:                               float64(result.Events),
	} {
		trail.Samples = append(trail.Samples, metrics.Sample{
			TimeSeries: metrics.TimeSeries{Metric: metric, Tags: tags.Tags},
			Time:       trail.EndTime,
			Metadata:   tags.Metadata,
			Value:      value,
		})
	}
	metrics.PushIfNotDone(c.vuCtx, c.state.Samples, trail)
}
