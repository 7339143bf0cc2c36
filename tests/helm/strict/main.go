// Reads rendered manifests from standard input and strictly decodes each document into the Kubernetes type that it names:
// an unknown or misplaced field, a wrong type or an unknown kind is an error. Prints the kinds that it has read.
//
// Kinds of an operator's CRDs are not decoded, only printed.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

var fromOperators = map[string]bool{"cert-manager.io/v1": true, "monitoring.coreos.com/v1": true}

func decode(document []byte) (string, error) {
	var header struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(document, &header); err != nil || header.Kind == "" {
		return header.Kind, err
	}
	if fromOperators[header.APIVersion] {
		return header.Kind, nil
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	_, _, err := runtime.Decoder(decoder).Decode(document, nil, nil)
	return header.Kind, err
}

func main() {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		kind := ""
		if err == nil {
			kind, err = decode(document)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", kind, err)
			os.Exit(1)
		}
		if kind != "" {
			fmt.Println(kind)
		}
	}
}
