// The TypeScript SDK, version 2.
import { Client, ClientCredentialsProvider, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const modern = '2026-07-28';

export async function connect({ url, legacy, revision, issuer, fetch, answers, listChanged }) {
	const options = {
		capabilities: { sampling: {}, elicitation: {} },
		listChanged: { tools: { autoRefresh: false, onChanged: listChanged } },
	};
	if (!revision) options.versionNegotiation = { mode: 'auto' };
	else if (revision === modern) options.versionNegotiation = { mode: { pin: modern } };
	else options.supportedProtocolVersions = [revision];
	const client = new Client({ name: 'e2e', version: '1.0.0' }, options);
	client.setRequestHandler('elicitation/create', answers.elicit);
	client.setRequestHandler('sampling/createMessage', answers.sample);
	const via = { fetch };
	if (issuer) via.authProvider = new ClientCredentialsProvider({ clientId: 'e2e', clientSecret: 'secret', expectedIssuer: issuer });
	const transport = legacy ? new SSEClientTransport(url, via) : new StreamableHTTPClientTransport(url, via);
	await client.connect(transport);
	return {
		client,
		revision: () => client.getNegotiatedProtocolVersion(),
		call: (params, callOptions) => client.callTool(params, callOptions),
		async end() {
			if (!legacy && client.getNegotiatedProtocolVersion() !== modern) await transport.terminateSession();
			await client.close();
		},
	};
}
