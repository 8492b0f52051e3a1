package waf

import "net/http"

// SetNewRequestID is what a request pays for its id.
func SetNewRequestID(h http.Header) { setRequestID(h, newRequestID()) }
