// Reads a dashboard and holds it against Grafana's own schema: unknown fields, wrong types, values
// that no panel knows. Prints what is wrong, a line each, and ends with exit code 1.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		board := dashboard.NewDashboard()
		if err = board.UnmarshalJSONStrict(text); err == nil {
			err = board.Validate()
		}
	}
	if err != nil && err.Error() != "" { // an empty list of faults is no nil
		fmt.Println(err)
		os.Exit(1)
	}
}
