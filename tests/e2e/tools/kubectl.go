// The main function of kubectl. k8s.io/kubernetes/cmd/kubectl, which has the
// same few lines, cannot be installed on its own: its go.mod has replace
// directives.
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
