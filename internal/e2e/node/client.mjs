// Drives clients of one of the TypeScript SDKs for the Go tests: a command per line comes in, answers and what the clients hear
// go out. The first argument names the SDK's file.
import readline from 'node:readline';

const { connect } = await import(`./${process.argv[2]}.mjs`);
const sessions = new Map(); // by the number that the test gave
const running = new Map(); // AbortControllers of calls, by the id of their command

const say = line => process.stdout.write(JSON.stringify(line) + '\n');

// What a client answers when a server asks.
const answers = {
	elicit: () => ({ action: 'accept', content: { answer: 'yes' } }),
	sample: () => ({ role: 'assistant', content: { type: 'text', text: 'a thought' }, model: 'none', stopReason: 'endTurn' }),
};

const commands = {
	async connect({ session, url, legacy, revision, token, issuer }) {
		const bearer = (target, init) => {
			const headers = new Headers(init?.headers);
			if (token) headers.set('Authorization', `Bearer ${token}`);
			return fetch(target, { ...init, headers });
		};
		const listChanged = () => say({ session, heard: 'tools/list_changed' });
		const made = await connect({ url: new URL(url), legacy, revision, issuer, fetch: bearer, answers, listChanged });
		sessions.set(session, made);
		return made.revision();
	},
	async lists({ session }) {
		const { client } = sessions.get(session);
		const names = list => list.map(x => x.name).sort().join(' ');
		const { tools } = await client.listTools();
		const { prompts } = await client.listPrompts();
		const { resources } = await client.listResources();
		const { resourceTemplates } = await client.listResourceTemplates();
		return [tools, prompts, resources, resourceTemplates].map(names).join('; ');
	},
	async prompt({ session, name }) {
		const { messages } = await sessions.get(session).client.getPrompt({ name });
		return messages[0].content.text;
	},
	async read({ session, uri }) {
		const { contents } = await sessions.get(session).client.readResource({ uri });
		return contents[0].text;
	},
	async call({ id, session, tool, args, progress }) {
		const abort = new AbortController();
		running.set(id, abort);
		try {
			const options = { signal: abort.signal };
			if (progress) options.onprogress = p => say({ id, progress: p.progress });
			const result = await sessions.get(session).call({ name: tool, arguments: args }, options);
			if (result.isError) throw new Error(JSON.stringify(result.content));
			return result.content[0].text;
		} finally {
			running.delete(id);
		}
	},
	async end({ session }) {
		await sessions.get(session).end();
		sessions.delete(session);
		return '';
	},
};

for await (const line of readline.createInterface({ input: process.stdin })) {
	const command = JSON.parse(line);
	if (command.do === 'cancel') {
		running.get(command.id)?.abort('the test cancels');
		continue;
	}
	commands[command.do](command).then(
		result => say({ id: command.id, result }),
		error => say({ id: command.id, error: `${error?.code ?? ''} ${error?.message ?? error}` }),
	);
}
process.exit(0);
