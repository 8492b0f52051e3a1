package corazamcp_test

import (
	"fmt"

	"github.com/corazawaf/coraza/v3"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// Coraza with the profile Coraza, in a program that has its own way of running transactions.
func ExampleRegister() {
	corazamcp.Register()
	w, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(rules.FS()).WithDirectives(
		"SecRuleEngine On\nSecAuditEngine Off\nSecRequestBodyAccess On\n" + rules.Directives(rules.Coraza)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tx := w.NewTransaction()
	defer tx.Close()
	tx.ProcessURI("/mcp", "POST", "HTTP/1.1")
	tx.AddRequestHeader("Content-Type", "application/json")
	tx.AddRequestHeader("Authorization", "Bearer token")
	tx.ProcessRequestHeaders()
	if _, _, err := tx.WriteRequestBody([]byte(`{"jsonrpc":"2.0","id":1,"Method":"tools/list"}`)); err != nil {
		fmt.Println(err)
		return
	}
	it, err := tx.ProcessRequestBody()
	fmt.Println(it.RuleID, it.Status, err)
	// Output: 9599220 400 <nil>
}
