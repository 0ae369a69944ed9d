// The programs of a cluster in one binary, chosen by the name it is called by.
//
// They share most of their code, so one binary builds in a fraction of the time of several.
// To have another (controller manager, scheduler, kubelet, proxy), import its app package and add a case;
// `go mod tidy` and `make cluster-build` do the rest.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	var command *cobra.Command
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
		return
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kubectl":
		command = kubectl.NewDefaultKubectlCommand()
	default:
		fmt.Fprintln(os.Stderr, "call me etcd, kube-apiserver or kubectl, not", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(command))
}
