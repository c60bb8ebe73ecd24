package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

type PropertyType []string

func (pt *PropertyType) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*pt = []string{s}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(pt))
}

func (pt PropertyType) String() string {
	if len(pt) == 1 {
		return pt[0]
	}
	return strings.Join(pt, " ")
}

type Property struct {
	Type        PropertyType
	Description string
	Enum        []any
}

type Case struct {
	Messages []*struct {
		Role, Content string
		ToolCalls     []struct {
			Function struct {
				Name      string
				Arguments map[string]any
			}
		} `json:"tool_calls"`
	}
	Tools []struct {
		Function struct {
			Name, Description string
			Parameters        struct {
				Type       string
				Required   []string
				Properties map[string]Property
			}
		}
	}
}

func main() {
	var order struct {
		Template string
		Cases    []Case
	}
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		panic(err)
	}
	funcs := template.FuncMap{"json": func(v any) string { b, _ := json.Marshal(v); return string(b) }}
	tmpl := template.Must(template.New("").Option("missingkey=zero").Funcs(funcs).Parse(order.Template))
	said := []string{}
	for _, c := range order.Cases {
		var b strings.Builder
		if err := tmpl.Execute(&b, map[string]any{"Messages": c.Messages, "Tools": c.Tools, "System": "", "Response": ""}); err != nil {
			panic(err)
		}
		said = append(said, b.String())
	}
	out, _ := json.Marshal(said)
	fmt.Println(string(out))
}
