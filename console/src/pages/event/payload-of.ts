import { parseExact, type JsonNode } from '../../json/exact-json';

export interface Payload {
  /** 1: as it was sent. Operators make later ones, and the newest is what is processed and delivered. */
  revision: number;
  text: string;
}

/** Returns the payloads in a response of the event, oldest first, as they stand there. Hidden and erased ones are missing. */
export function payloadsOf(responseText: string): Payload[] {
  const root = parseExact(responseText);
  const textOf = (node: JsonNode): string => responseText.slice(node.start, node.end);
  const sent = memberOf(root, 'payload');
  const isErased = memberOf(root, 'erasedAt') !== undefined; // the payload is null then
  const revisions = memberOf(root, 'revisions');
  const later = revisions?.kind === 'array' ? revisions.items : [];
  return [
    ...(sent === undefined || isErased ? [] : [{ revision: 1, text: textOf(sent) }]),
    ...later.flatMap((item): Payload[] => {
      const revision = memberOf(item, 'revision');
      const payload = memberOf(item, 'payload');
      return revision && payload ? [{ revision: Number(textOf(revision)), text: textOf(payload) }] : [];
    }),
  ];
}

function memberOf(node: JsonNode, wanted: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.find(({ name }) => name === wanted)?.value : undefined;
}
