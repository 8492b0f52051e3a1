// Package jsonscan reads the tokens of a JSON text in place: strings, numbers, literals and white space, strictly as
// RFC 8259 writes them, in UTF-8, without surrogate halves. It holds no state and never allocates.
//
// Every scanner takes the text and an index and returns the index after the token, or a negative number when the bytes
// are no such token. Where exactly a string is wrong is worked out by [StringFault], and only after a failure.
package jsonscan
