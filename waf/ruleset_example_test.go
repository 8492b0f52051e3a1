package waf_test

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/waf"
)

// A rule of one's own beside the default profile, with one threshold changed.
func ExampleLoadRules() {
	rs, err := waf.LoadRules(waf.RulesConfig{
		Setup: `SecAction "id:1000,phase:1,pass,nolog,setvar:tx.sallyport_max_header_bytes=4096"`,
		Inline: `SecRule TX:mcp_name "@streq drop_database" \
    "id:1001,phase:2,deny,status:403,log,msg:'This tool is not for the network'"`,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rs.Close()
	fmt.Println(rs.IDs()[:2])
	// Output: [1000 1001]
}

// The engine would start without the second rule and say nothing.
func ExampleLoadRules_incorrect() {
	_, err := waf.LoadRules(waf.RulesConfig{
		Inline: `SecRule ARGS:a "@streq b" "id:1001,phase:2,deny"
SecRule ARGS:c "@streq d" "id:1002,phase:2,deny" \`,
	})
	var re *waf.RulesError
	if errors.As(err, &re) {
		fmt.Println(re.File, re.Line, re.Reason)
	}
	// Output: inline 2 line_open
}
