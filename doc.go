// Package sallyport is the root of a library that lets only well-formed, unambiguous and permitted requests reach an
// HTTP service, above all a Model Context Protocol (MCP) server. It exports nothing itself; import the package for the job:
//
//   - [github.com/sallyport/sallyport/waf]: net/http middleware that does all of it.
//   - [github.com/sallyport/sallyport/rules]: the SecLang ruleset, for Coraza, ModSecurity 3 and ModSecurity 2.9.
//   - [github.com/sallyport/sallyport/validate]: HTTP header and request-target checks, standard library only.
//   - [github.com/sallyport/sallyport/mcpmsg]: MCP message checks, standard library only.
package sallyport
