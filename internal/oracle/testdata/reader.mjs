// Reads messages with JSON.parse, as servers on Node do, and tells what it sees. Frames on both pipes: four bytes of
// length, big-endian, then the text. An answer is lines, one for each part of the message; "!" stands for a refusal.

function text(s) {
	let out = '"';
	for (let i = 0; i < s.length; i++) {
		const c = s.charCodeAt(i);
		out += c < 0x20 || c > 0x7e || c === 0x22 || c === 0x5c ? '\\u' + c.toString(16).padStart(4, '0') : s[i];
	}
	return out + '"';
}

const bits = new DataView(new ArrayBuffer(8));

function show(v) {
	switch (typeof v) {
	case 'undefined':
		return '';
	case 'string':
		return text(v);
	case 'number':
		bits.setFloat64(0, v);
		return 'f' + bits.getBigUint64(0).toString(16).padStart(16, '0');
	case 'object':
		if (v === null) return 'null';
		if (Array.isArray(v)) return '[' + v.map(show).join(',') + ']';
		return '{' + Object.keys(v).map((k) => text(k) + ':' + show(v[k])).sort().join(',') + '}';
	}
	return String(v);
}

function read(bytes) {
	let m;
	try {
		m = JSON.parse(bytes.toString('utf8'));
	} catch {
		return '!';
	}
	const p = m.params ?? {};
	return [m.method, m.id, p.name, p.taskId, p.uri, p.arguments, p._meta, m.result, m.error, m].map(show).join('\n');
}

let pending = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
	pending = Buffer.concat([pending, chunk]);
	const answers = [];
	while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
		const end = 4 + pending.readUInt32BE(0);
		const answer = Buffer.from(read(pending.subarray(4, end)));
		const length = Buffer.alloc(4);
		length.writeUInt32BE(answer.length);
		answers.push(length, answer);
		pending = pending.subarray(end);
	}
	if (answers.length > 0) process.stdout.write(Buffer.concat(answers));
});
