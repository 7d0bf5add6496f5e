// Package sse is k6/x/sse: event streams for k6, read as they come.
//
// k6 itself reads a whole body before it returns it. This module reads through the transport of the virtual user, so
// connections, certificates (tlsAuth), DNS and the metrics http_req_* are those of k6/http.
package sse

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/metrics"
)

func init() {
	modules.Register("k6/x/sse", new(root))
}

type root struct{}

// NewModuleInstance is called once for each virtual user.
func (*root) NewModuleInstance(vu modules.VU) modules.Instance {
	counted, err := vu.InitEnv().Registry.NewMetric("sse_events", metrics.Counter)
	if err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return &instance{vu: vu, counted: counted}
}

type instance struct {
	vu      modules.VU
	counted *metrics.Metric
}

func (i *instance) Exports() modules.Exports {
	named := map[string]any{"open": i.open, "readFile": i.readFile}
	return modules.Exports{Default: named, Named: named}
}

// open asks for a stream and reads it to its end, to its timeout, or until onEvent returns false.
func (i *instance) open(url string, options sobek.Value, onEvent sobek.Value) (*sobek.Object, error) {
	state := i.vu.State()
	if state == nil {
		return nil, errors.New("open is for virtual users, not for the init context")
	}
	asked := defaultParams()
	if options != nil && !common.IsNullish(options) {
		if err := i.vu.Runtime().ExportTo(options, &asked); err != nil {
			return nil, fmt.Errorf("the options of open: %w", err)
		}
	}
	call, err := newCall(i.vu.Context(), state, url, asked)
	if err != nil {
		return nil, err
	}
	listener, err := i.listener(onEvent)
	if err != nil {
		return nil, err
	}
	result, err := call.run(listener)
	call.emit(i.counted, result)
	if err != nil {
		return nil, err
	}
	return i.vu.Runtime().ToValue(result).ToObject(i.vu.Runtime()), nil
}

// shown is an event as scripts see it.
type shown struct {
	ID   string  `js:"id"`
	Name string  `js:"name"`
	Data string  `js:"data"`
	AtMs float64 `js:"atMs"`
}

func (i *instance) listener(onEvent sobek.Value) (func(event, float64) (bool, error), error) {
	if onEvent == nil || common.IsNullish(onEvent) {
		return nil, nil
	}
	call, isFunction := sobek.AssertFunction(onEvent)
	if !isFunction {
		return nil, errors.New("the listener of open is no function")
	}
	runtime := i.vu.Runtime()
	return func(one event, atMs float64) (bool, error) {
		said, err := call(sobek.Undefined(), runtime.ToValue(shown{one.id, one.name, one.data, atMs}))
		if err != nil {
			return false, err
		}
		return said.Export() != false, nil
	}, nil
}

// readFile returns what a file holds now: tokens are replaced while a test runs, as they are for real callers.
func (i *instance) readFile(path string) (string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the path is the script's own
	return string(text), err
}
