// kpt with its own `kpt fn` commands and nothing else: the complete program
// also needs github.com/kptdev/kpt/rollouts, a module that not every module
// proxy has, for `kpt alpha rollouts`. What main does around the commands
// (printer, flags, environment, errors and exit codes) follows kpt's main.go
// and run/run.go.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kptdev/kpt/commands/fn"
	"github.com/kptdev/kpt/pkg/lib/errors"
	"github.com/kptdev/kpt/pkg/lib/errors/resolver"
	"github.com/kptdev/kpt/pkg/printer"
	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/kyaml/commandutil"
)

var version = "unknown"

func main() {
	os.Setenv(commandutil.EnableAlphaCommmandsEnvName, "true")
	root := &cobra.Command{Use: "kpt", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().BoolVar(&printer.TruncateOutput, "truncate-output",
		true, "Enable the truncation for output")
	ctx := printer.WithContext(context.Background(),
		printer.New(root.OutOrStdout(), root.ErrOrStderr()))
	root.AddCommand(fn.GetCommand(ctx, "kpt"), &cobra.Command{
		Use:   "version",
		Short: "Print the version number of kpt",
		Run:   func(*cobra.Command, []string) { fmt.Println(version) },
	})
	if err := root.Execute(); err != nil {
		os.Exit(report(err))
	}
}

// report prints err as kpt does and returns kpt's exit code for it.
func report(err error) int {
	if re, ok := resolver.ResolveError(err); ok {
		if re.Message != "" {
			fmt.Fprintf(os.Stderr, "%s \n", re.Message)
		}
		return re.ExitCode
	}
	var kptErr *errors.Error
	if errors.As(err, &kptErr) {
		if unwrapped, ok := errors.UnwrapErrors(kptErr); ok {
			fmt.Fprintf(os.Stderr, "Error: %s \n", unwrapped.Error())
		} else {
			fmt.Fprintf(os.Stderr, "%s \n", kptErr.Error())
		}
		return 1
	}
	fmt.Fprintf(os.Stderr, "error: %s\n", err)
	return 1
}
