// Package oracle proves mcpmsg against programs that share no code with it. It has tests only, and is a module of its own
// so that their dependencies reach nobody.
//
// Two questions are asked.
//
// Is the verdict right? The official examples, recorded traffic and messages generated from the schema files, whole and
// mutated, are judged by mcpmsg and by a JSON Schema engine over the same schema files. Every difference must be one of
// the named rows of the table of differences, and every row must occur.
//
// The same engine judges arguments of tools against random schemas beside [mcpmsg.CompileSchema].
//
// Has the message one meaning? Whatever mcpmsg accepts is read by encoding/json, encoding/json/v2, gjson, sonic, the
// official Go SDK, mcp-go and, where a node is installed, by JSON.parse. Each must see the same method, id, name, uri and
// arguments, or refuse.
//
// The default run takes less than a minute on two cores, and one with -short a tenth of that. Environment variables ask for
// more:
//
//	ORACLE_MESSAGES   generated messages per revision and direction, default 10000
//	ORACLE_EDITS      messages of TestEditedMessages, default 60000
//	ORACLE_SCHEMAS    schemas of TestToolSchemas, default 3000
//	ORACLE_SPLICES    messages of TestSplicedMessages, default 200000
//	ORACLE_SPELLINGS  spellings of each message in TestSpellings, default 10
//	ORACLE_SEED       seed of all, default 1
//
// and "go test -run NONE -fuzz OneMeaning -parallel 1" runs the fuzz target for as long as it is let. The schema comparison
// needs the reference data beside the repository and is skipped without it; the readers then have our own messages only.
package oracle
