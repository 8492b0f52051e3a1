package waf

import "net/http"

// SetNewRequestID is what a request pays for its id.
func SetNewRequestID(h http.Header) { setRequestID(h, newRequestID()) }

// CheckGolden is for the tests outside of the package.
var CheckGolden = checkGolden
