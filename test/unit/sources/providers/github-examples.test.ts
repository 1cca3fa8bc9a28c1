import * as path from 'node:path';
import { GITHUB } from '../../../../src/sources/providers/code/github';
import { asReceived } from '../../../support/sources/as-received';
import { eventsOf } from '../../../support/sources/events-of';
import { loadFile } from '../../../support/sources/proof';

/** Bodies of every event that GitHub knows, for github.com and for GitHub Enterprise Server. */
interface WebhookDefinition {
  name: string;
  examples: { action?: string }[];
}
const SERVERS = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'];

const definitionsOf = async (server: string): Promise<WebhookDefinition[]> => {
  const file = path.join('@octokit/webhooks-examples', server, 'index.json');
  return (await loadFile<{ default: WebhookDefinition[] }>(file)).default;
};

describe('the examples of @octokit/webhooks-examples', () => {
  it.each(SERVERS)('are all mapped by the preset: %s', async (server) => {
    const definitions = await definitionsOf(server);
    expect(definitions.length).toBeGreaterThan(40);
    for (const { name, examples } of definitions) {
      for (const example of examples) {
        const body = JSON.stringify(example);
        const headers = { 'x-github-event': name, 'x-github-delivery': 'd1', 'content-type': 'application/json' };
        const request = asReceived({ method: 'POST', url: 'https://in.example.com/in/t', headers, body }, new Date());
        const type = example.action === undefined ? name : `${name}.${example.action}`;
        expect(await eventsOf(GITHUB, request)).toEqual([
          {
            eventType: type,
            subject: expect.stringMatching(/^.+$/) as string,
            eventId: 'd1',
            occurredAt: undefined,
            payload: body,
          },
        ]);
      }
    }
  });
});
