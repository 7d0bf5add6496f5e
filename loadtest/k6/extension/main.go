// k6 with the module k6/x/sse built in.
package main

import (
	"go.k6.io/k6/cmd"

	_ "sallyport/loadtest/k6/sse"
)

func main() {
	cmd.Execute()
}
