package waf

import "net/http"

// SetNewRequestID is what a request pays for its id.
func SetNewRequestID(h http.Header) { setRequestID(h, newRequestID()) }

// Update is the flag that makes tests rewrite golden files.
var Update = update
