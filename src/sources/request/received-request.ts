import { JsonDocument } from '../../expressions/json-document';
import type { RecordRejection } from '../../event/prepare-event';
import { parseBody } from '../body/parse-body';
import { jsonOfField } from '../body/form-fields';
import { BODY_LIMITS, type ParsedBody, type ReadBody } from '../body/parsed-body';
import type { KeptRequests } from './kept-request';
import type { RequestFacts } from './request-facts';

/** A request that came to the URL of a source. Its body is parsed at most once, when something in it is needed. */
export class ReceivedRequest {
  private parsed: ParsedBody | undefined;
  private wholeBody: JsonDocument | undefined;
  private joined: Readonly<Record<string, string>> | undefined;
  private kept: string | undefined;

  /** @param jsonField the form field that holds the body as JSON, for providers that send it in a form */
  constructor(
    readonly facts: RequestFacts,
    private readonly jsonField?: string,
  ) {}

  /** All headers, with names in lower case and several values joined with a comma. */
  get headers(): Readonly<Record<string, string>> {
    return (this.joined ??= Object.fromEntries(
      Object.entries(this.facts.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
    ));
  }

  header(name: string): string | undefined {
    const key = name.toLowerCase();
    const value = Object.hasOwn(this.facts.headers, key) ? this.facts.headers[key] : undefined;
    return Array.isArray(value) ? value.join(', ') : value;
  }

  query(name: string): string | undefined {
    const value = Object.hasOwn(this.facts.query, name) ? this.facts.query[name] : undefined;
    return Array.isArray(value) ? value[0] : value;
  }

  /** The request without its body, as the members of a KeptRequest. @param kept that of its source, always the same */
  keptMembers(kept: KeptRequests): string {
    return (this.kept ??= kept.membersOf(this.facts));
  }

  /** Drops the parsed body. While the event is stored, the garbage collector would copy it and keep it. */
  forget(): void {
    this.parsed = undefined;
    this.wholeBody = undefined;
  }

  parse(): ParsedBody {
    return (this.parsed ??= this.parseOnce());
  }

  private parseOnce(): ParsedBody {
    const parsed = parseBody(this.facts.body, this.header('content-type'));
    if ('rejection' in parsed || parsed.fromJson || this.jsonField === undefined) return parsed;
    if (!hasField(parsed, this.jsonField)) return parsed;
    const inside = jsonOfField(parsed, this.jsonField, BODY_LIMITS);
    return 'rejection' in inside ? inside : { ...inside, fromJson: false };
  }

  /** The body as JSON, or why it cannot be read. */
  document(): JsonDocument | { rejection: RecordRejection } {
    if (this.wholeBody) return this.wholeBody;
    const parsed = this.parse();
    if ('rejection' in parsed) return parsed;
    return (this.wholeBody = new JsonDocument(parsed.json, parsed.value));
  }
}

function hasField({ value, json }: ReadBody, name: string): boolean {
  const form: unknown = value ?? JSON.parse(json);
  return typeof form === 'object' && form !== null && Object.hasOwn(form, name);
}
