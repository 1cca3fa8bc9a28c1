import { JsonDocument } from '../../expressions/json-document';
import { compileFilter, type Filter } from '../../expressions/filter/compile-filter';

interface Filtered {
  id: string;
  revision: number;
  filter: object | null;
}

/** For a filter that this build cannot compile. The delivery is recorded, and fails with the reason (renderer.ts). */
const everythingPasses: Filter = { matches: () => true };

/**
 * Compiles the filters of destinations, once for each revision, and applies them. An event is parsed once for all
 * destinations of its tenant, and not at all where none of them has a filter.
 */
export class EventFilters {
  private readonly compiled = new Map<string, { revision: number; filter: Filter }>();
  private readonly subjects = new WeakMap<Buffer, unknown>();

  /** @param event the normalised event as JSON */
  matches(destination: Filtered, event: Buffer): boolean {
    return destination.filter === null || this.filterOf(destination).matches(this.subjectOf(event));
  }

  /** Drops the filters of destinations that are gone. */
  keepOnly(destinations: readonly { id: string }[]): void {
    const remaining = new Set(destinations.map(({ id }) => id));
    for (const id of this.compiled.keys()) if (!remaining.has(id)) this.compiled.delete(id);
  }

  private filterOf({ id, revision, filter: json }: Filtered): Filter {
    const known = this.compiled.get(id);
    if (known?.revision === revision) return known.filter;
    const made = compileFilter(json);
    const filter = 'errors' in made ? everythingPasses : made;
    this.compiled.set(id, { revision, filter });
    return filter;
  }

  private subjectOf(event: Buffer): unknown {
    let subject = this.subjects.get(event);
    if (subject === undefined) this.subjects.set(event, (subject = filterSubject(event)));
    return subject;
  }
}

/** What a filter sees of an event. Payload and extensions are exact; the hash only looks like it had long numbers. */
export function filterSubject(event: Buffer): unknown {
  const document = new JsonDocument(event.toString('utf8'));
  const exact = (name: string): unknown => document.at([name])?.exact;
  const extensions = exact('extensions');
  const fields = { ...(document.value as object), payload: exact('payload') };
  return extensions === undefined ? fields : { ...fields, extensions };
}
