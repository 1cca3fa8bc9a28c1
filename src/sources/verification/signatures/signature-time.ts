import { parseInstant } from '../../../event/instant';
import type { ReceivedRequest } from '../../request/received-request';
import { compileTemplate, type Template } from '../../request/template';
import { namedPart } from '../../request/template-parts';
import { missing, refused, type Refused } from '../verdict';
import type { TimestampRule } from '../verification';

const MS_PER_UNIT = { s: 1_000, ms: 1 } as const;

/** Checks the time of a signature. */
export class SignatureTime {
  private readonly place: Template | undefined;

  /** @throws TemplateError */
  constructor(private readonly rule: TimestampRule) {
    this.place = rule.value === undefined ? undefined : compileTemplate(rule.value);
  }

  refusal(request: ReceivedRequest): Refused | undefined {
    const { header = '', part, toleranceSeconds } = this.rule;
    let text = part === undefined ? request.header(header) : namedPart(request.header(header), part);
    if (this.place) {
      const rendered = this.place.render(request);
      text = 'missing' in rendered ? undefined : rendered.text;
    }
    if (text === undefined)
      return missing(this.rule.value?.slice(1, -1) ?? `header:${header}${part ? `/${part}` : ''}`);
    const sentMs = this.milliseconds(text);
    if (sentMs === undefined) return refused('signature-invalid', 'The timestamp of the signature is not a time.');
    const seconds = Math.round((request.facts.receivedAt.getTime() - sentMs) / 1_000);
    if (Math.abs(seconds) <= toleranceSeconds) return undefined;
    const when = seconds > 0 ? `${seconds} s ago` : `${-seconds} s in the future`;
    return refused('signature-expired', `The request was signed ${when}; the limit is ${toleranceSeconds} s.`, {
      clockDifferenceSeconds: seconds,
    });
  }

  private milliseconds(text: string): number | undefined {
    const { unit = 's' } = this.rule;
    if (unit === 'rfc3339') {
      const instant = parseInstant(text);
      return instant && Date.parse(instant.utc);
    }
    return /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) * MS_PER_UNIT[unit] : undefined;
  }
}
