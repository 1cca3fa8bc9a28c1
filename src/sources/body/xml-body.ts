import { quoted } from '../../event/json/canonical-json';
import { Problem } from '../../event/problems';
import { malformed } from '../../ingest/formats/xml-document';
import { isNil } from '../../ingest/formats/xml-namespaces';
import { xmlParser } from '../../ingest/formats/xml-parser';
import { OpenElement } from '../../ingest/formats/xml-to-json';
import { CHARSET_NAMES, charsetNamed, textOfBody } from './charset';
import type { HeaderValue } from './content-type';
import { isDeeperThan, tooDeep } from './json-body';
import { malformedBody, shown, type BodyLimits, type ParsedBody } from './parsed-body';

const MAX_ATTRIBUTES = 256;
/** An encoding is declared at the start, in ASCII. */
const DECLARATION = /^<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([^"']{1,40})["']/;

export function isXmlType(mediaType: string): boolean {
  return mediaType === 'application/xml' || mediaType === 'text/xml' || /^[^/]+\/.+\+xml$/.test(mediaType);
}

/** Reads an XML document as an object with one member, its root. Elements map to JSON as those of a payload do. */
export function readXml(bytes: Buffer, { parameters }: HeaderValue, { maxDepth }: BodyLimits): ParsedBody {
  const name = encodingOf(bytes, parameters.get('charset'));
  const charset = charsetNamed(name);
  if (!charset)
    return malformedBody(`The charset ${shown(String(name))} is not supported for XML: use ${CHARSET_NAMES}.`);
  const text = textOfBody(bytes, charset);
  if (text === undefined) return malformedBody(`The XML document is not valid ${charset}.`);
  try {
    const json = new XmlBody(maxDepth).read(text);
    return isDeeperThan(maxDepth, json) ? tooDeep('The XML document', maxDepth) : { json, fromJson: false };
  } catch (error) {
    if (error instanceof Problem) return malformedBody(error.detail);
    throw error;
  }
}

/** A BOM comes first, then the Content-Type, then the document's own declaration (RFC 7303). */
function encodingOf(bytes: Buffer, charset: string | undefined): string | undefined {
  const start = bytes.toString('latin1', 0, 200);
  if (start.startsWith('\xef\xbb\xbf')) return 'utf-8';
  if (start.startsWith('\xff\xfe') || start.startsWith('<\0')) return 'utf-16le';
  if (start.startsWith('\xfe\xff') || start.startsWith('\0<')) return 'utf-16be';
  return charset ?? DECLARATION.exec(start)?.[1];
}

class XmlBody {
  private readonly parser = xmlParser();
  private readonly open: OpenElement[] = [];
  private attributes = 0;
  private json = '';

  constructor(private readonly maxDepth: number) {
    const { parser } = this;
    parser.on('doctype', () => this.refuse('a document type declaration (DOCTYPE) is not allowed'));
    parser.on('opentagstart', () => this.enter());
    parser.on('attribute', () => this.countAttribute());
    parser.on('opentag', ({ name, attributes }) => this.openElement(name, attributes));
    parser.on('closetag', () => this.closeElement());
    parser.on('text', (text) => this.text(text));
    parser.on('cdata', (text) => this.text(text));
    parser.on('error', ({ message }) => {
      throw malformed(`The document is not well-formed XML (${message.slice(0, 200)}).`);
    });
  }

  /** @throws Problem `malformed-body` */
  read(text: string): string {
    this.parser.write(text).close();
    return this.json;
  }

  private enter(): void {
    this.attributes = 0;
    if (this.open.length === this.maxDepth) this.refuse(`elements are nested deeper than ${this.maxDepth} levels`);
  }

  private countAttribute(): void {
    this.attributes += 1;
    if (this.attributes > MAX_ATTRIBUTES) this.refuse(`an element has more than ${MAX_ATTRIBUTES} attributes`);
  }

  private openElement(name: string, attributes: Readonly<Record<string, string>>): void {
    const element = new OpenElement(name);
    this.open.push(element);
    for (const attribute in attributes) element.addAttribute(attribute, attributes[attribute] as string);
    for (const attribute in attributes) {
      if (isNil(attribute, attributes[attribute] as string, (declaration) => this.uriOf(declaration))) {
        element.nil = attribute;
      }
    }
  }

  private text(text: string): void {
    const element = this.open.at(-1);
    if (element) element.text += text;
  }

  private closeElement(): void {
    const closed = this.open.pop() as OpenElement; // the parser has matched the tags
    const parent = this.open.at(-1);
    if (parent) parent.addChild(closed.name, closed.toJson());
    else this.json = `{${quoted(closed.name)}:${closed.toJson()}}`;
  }

  private uriOf(declaration: string): string | undefined {
    return this.open.findLast(({ declared }) => declared?.has(declaration))?.declared?.get(declaration);
  }

  private refuse(what: string): never {
    throw malformed(`XML, line ${this.parser.line}: ${what}.`);
  }
}
