// The TypeScript SDK, version 1.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

// connect speaks the newest revision that the SDK and the server have: it can't be told another one.
export async function connect({ url, legacy, issuer, fetch, answers, listChanged }) {
	const client = new Client({ name: 'e2e', version: '1.0.0' }, { capabilities: { sampling: {}, elicitation: {} } });
	client.setRequestHandler(ElicitRequestSchema, answers.elicit);
	client.setRequestHandler(CreateMessageRequestSchema, answers.sample);
	client.setNotificationHandler(ToolListChangedNotificationSchema, listChanged);
	const options = { fetch };
	if (issuer) options.authProvider = new ClientCredentialsProvider({ clientId: 'e2e', clientSecret: 'secret', expectedIssuer: issuer });
	const transport = legacy ? new SSEClientTransport(url, options) : new StreamableHTTPClientTransport(url, options);
	let revision = '';
	const setProtocolVersion = transport.setProtocolVersion.bind(transport);
	transport.setProtocolVersion = v => setProtocolVersion((revision = v));
	await client.connect(transport);
	return {
		client,
		revision: () => revision,
		call: (params, options) => client.callTool(params, undefined, options),
		async end() {
			if (!legacy) await transport.terminateSession();
			await client.close();
		},
	};
}
