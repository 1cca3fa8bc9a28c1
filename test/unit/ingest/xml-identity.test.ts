import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { prepareEvent, type ContentRules } from '../../../src/event/prepare-event';
import type { StreamRecord } from '../../../src/ingest/formats/ndjson-records';
import { XmlRecords } from '../../../src/ingest/formats/xml-records';
import { streamSource } from '../../support/stream-source';

const CONTEXT = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
const RULES: ContentRules = {
  MAX_EVENT_BYTES: 100_000,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
};

interface Element {
  name: string;
  attributes: Record<string, string>;
  /** Text before each child, and after the last one. A leaf has one text. */
  texts: string[];
  children: Element[];
}
interface Document {
  root: Record<string, string>;
  event: Record<string, string>;
  payload: Element;
}
/** Ways to write the same document. Each number decides at one place. */
type Style = (choices: number) => number;

const PLAIN: Style = () => 0;

const text = fc.string({ unit: fc.constantFrom('x', ' ', '\n', '1', '&', '<', '"', "'", 'é', ']]>'), maxLength: 4 });
const names = fc.constantFrom('a', 'b', 'n:a', 'm:a');
const attributes = fc.dictionary(fc.constantFrom('id', 'n:id', 'xsi:type', 'xml:lang', 'xmlns', 'xmlns:n'), text, {
  maxKeys: 3,
  noNullPrototype: true,
});
const declarations = fc.dictionary(fc.constantFrom('xmlns', 'xmlns:n', 'xmlns:m'), fc.constantFrom('urn:1', 'urn:2'), {
  noNullPrototype: true,
});
const { element } = fc.letrec<{ element: Element }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ name: names, attributes, texts: fc.tuple(text), children: fc.constant<Element[]>([]) }),
    fc
      .record({ name: names, attributes, children: fc.array(tie('element'), { minLength: 1, maxLength: 4 }) })
      .chain((parts) =>
        fc
          .array(fc.oneof(fc.constant(''), text), {
            minLength: parts.children.length + 1,
            maxLength: parts.children.length + 1,
          })
          .map((texts) => ({ ...parts, texts })),
      ),
  ),
}));
const documents = fc.record({
  root: declarations,
  event: declarations,
  payload: fc.array(element, { minLength: 1, maxLength: 3 }).map((children) => ({
    name: 'payload',
    attributes: {},
    texts: Array<string>(children.length + 1).fill(''),
    children,
  })),
});
const styles = fc.infiniteStream(fc.nat(11)).map(
  (numbers): Style =>
    (choices) =>
      numbers.next().value % choices,
);

function write({ root, event, payload }: Document, style: Style): string {
  const fields = `<eventType>t</eventType><subject>s</subject>`;
  return `<events${attributesOf(root, style)}><event${attributesOf(event, style)}>${fields}${write1(payload, style)}</event></events>`;
}

function write1({ name, attributes, texts, children }: Element, style: Style): string {
  const start = `${name}${attributesOf(attributes, style)}`;
  const isLeaf = children.length === 0;
  if (isLeaf && texts[0] === '' && style(2) === 1) return `<${start}/>`;
  const parts = texts.map((own, i) => `${textOf(own, isLeaf, style)}${children[i] ? write1(children[i], style) : ''}`);
  return `<${start}>${parts.join('')}</${name}>`;
}

function attributesOf(values: Record<string, string>, style: Style): string {
  const entries = style(2) === 1 ? Object.entries(values).reverse() : Object.entries(values);
  return entries
    .map(([name, value]) => {
      const quote = style(2) === 1 ? "'" : '"';
      const escaped = value.replace(/[&<"'\n]/g, (c) => `&#${c.charCodeAt(0)};`);
      return `${[' ', '\n', '\t '][style(3)]}${name}=${quote}${escaped}${quote}`;
    })
    .join('');
}

function textOf(own: string, isLeaf: boolean, style: Style): string {
  const layout = isLeaf || own !== '' ? '' : ['', ' ', '\n  '][style(3)];
  const asCdata = own !== '' && !own.includes(']]>') && style(3) === 1;
  const escaped = own.replace(/[&<>]/g, (c) =>
    style(2) === 1 ? `&#x${c.charCodeAt(0).toString(16)};` : `&#${c.charCodeAt(0)};`,
  );
  return `${layout}${['', '<!-- x -->', '<?x y?>'][style(3)]}${asCdata ? `<![CDATA[${own}]]>` : escaped}`;
}

async function hashOf(document: string): Promise<string> {
  const records = new XmlRecords(RULES.MAX_EVENT_BYTES, streamSource([]));
  const [record] = (
    (await Readable.from([Buffer.from(document)])
      .pipe(records)
      .toArray()) as StreamRecord[][]
  ).flat();
  const made = prepareEvent(record?.bytes as Buffer, CONTEXT, RULES);
  if ('rejection' in made) throw new Error(`${document}: ${made.rejection.message}`);
  return made.prepared.event.hash;
}

/** Elements of the payload; the payload itself comes first. */
function elementsOf(one: Element): Element[] {
  return [one, ...one.children.flatMap(elementsOf)];
}

/** Changes what is sent at one place. Returns false where there is nothing of that kind to change. */
const CHANGES: Record<string, (document: Document, element: Element) => boolean> = {
  'a name': (_document, element) => renamed(element, `${element.name}z`),
  'a prefix': (_document, element) => renamed(element, `p:${element.name.replace(/^.*:/, '')}`),
  'a namespace': (_document, element) => set(element.attributes, 'xmlns', 'urn:other'),
  'the namespace of a prefix': (_document, element) => set(element.attributes, 'xmlns:n', 'urn:other'),
  'the namespace of the root': ({ root, event, payload }) =>
    !('xmlns' in event) && !('xmlns' in payload.attributes) && set(root, 'xmlns', 'urn:other'),
  'the namespace of the event': ({ event, payload }) =>
    !('xmlns' in payload.attributes) && set(event, 'xmlns', 'urn:other'),
  'an attribute': (_document, element) => set(element.attributes, 'id', `${element.attributes.id ?? ''}y`),
  'an attribute removed': (_document, element) => delete element.attributes[Object.keys(element.attributes)[0] ?? ''],
  'the text of a leaf': (_document, element) => element.children.length === 0 && append(element, 'y'),
  'white space of a leaf': (_document, element) => element.children.length === 0 && append(element, ' '),
  'text beside children': (_document, element) => element.children.length > 0 && append(element, 'y'),
  'a child more': (_document, element) => {
    element.children.push({ name: 'c', attributes: {}, texts: [''], children: [] });
    element.texts.push('');
    return element.children.length > 1;
  },
  'the order of repeated elements': (_document, { children }) => {
    const first = children[0];
    const last = children.findLast(({ name }) => name === first?.name);
    if (!first || !last || write1(first, PLAIN) === write1(last, PLAIN)) return false;
    const at = children.lastIndexOf(last);
    [children[0], children[at]] = [last, first];
    return true;
  },
};

function renamed(element: Element, name: string): boolean {
  if (element.name === 'payload') return false;
  element.name = name;
  return true;
}

function set(values: Record<string, string>, name: string, value: string): boolean {
  const isNew = values[name] !== value;
  values[name] = value;
  return isNew;
}

function append(element: Element, more: string): boolean {
  element.texts.push(`${element.texts.pop()}${more}`);
  return element.name !== 'payload' || element.children.length > 0;
}

it('documents that are written differently but are the same have the same hash', async () => {
  await fc.assert(
    fc.asyncProperty(documents, styles, async (document, style) => {
      const [one, other] = [write(document, PLAIN), write(document, style)];
      expect([other, await hashOf(other)]).toEqual([other, await hashOf(one)]);
    }),
    { numRuns: 300 },
  );
});

it.each(Object.entries(CHANGES))('documents that differ in %s have different hashes', async (_what, change) => {
  await fc.assert(
    fc.asyncProperty(documents, fc.nat(), styles, async (document, place, style) => {
      const changed = structuredClone(document);
      const places = elementsOf(changed.payload);
      fc.pre(change(changed, places[place % places.length] as Element));
      fc.pre(write(changed, PLAIN) !== write(document, PLAIN));
      const [one, other] = [write(document, PLAIN), write(changed, style)];
      expect([one, other, await hashOf(other)]).not.toEqual([one, other, await hashOf(one)]);
    }),
    { numRuns: 100 },
  );
});

it('documents that differ in where their text is divided have different hashes', async () => {
  const hashes = await Promise.all(
    ['<a>12<b/>3</a>', '<a>1<b/>23</a>', '<a>123<b/></a>', '<a>1<b/>2<b/>3</a>'].map((payload) =>
      hashOf(`<e><event><type>t</type><subject>s</subject><payload>${payload}</payload></event></e>`),
    ),
  );
  expect(new Set(hashes).size).toBe(4);
});
