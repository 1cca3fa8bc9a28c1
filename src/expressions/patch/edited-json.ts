import { JsonValue, PatchFault, type JsonContainer } from './json-value';

/**
 * A JSON text that is edited at several places. It is read once, as far as the edits need it, and written once. An edit
 * costs the length of its path and, the first time, what lies beside the path.
 */
export class EditedJson {
  private root: JsonValue;

  /** @param text JSON.parse must have accepted it, unless the first edit replaces all of it; no white space around it */
  constructor(text: string) {
    this.root = JsonValue.of(text);
  }

  /** Characters of the text. */
  get length(): number {
    return this.root.length;
  }

  get text(): string {
    return this.root.text;
  }

  /** Returns the value at a place, or undefined if there is none. */
  at(segments: readonly string[]): JsonValue | undefined {
    let value: JsonValue | undefined = this.root;
    for (const segment of segments) value = value?.container?.get(segment);
    return value;
  }

  /** Adds a member or an element, or replaces the member, as RFC 6902 says of `add`. */
  add(segments: readonly string[], value: JsonValue): void {
    if (segments.length === 0) this.root = value;
    else this.change(segments, (container, last) => container.add(last, value));
  }

  replace(segments: readonly string[], value: JsonValue): void {
    if (segments.length === 0) this.root = value;
    else this.change(segments, (container, last) => container.replace(last, value));
  }

  remove(segments: readonly string[]): void {
    if (segments.length === 0) throw new PatchFault('the whole document cannot be removed');
    this.change(segments, (container, last) => container.remove(last));
  }

  /** Applies `change` to the array or object that the last segment is in. It returns by how many characters that grows. */
  private change(segments: readonly string[], change: (container: JsonContainer, last: string) => number): void {
    const above = [this.root];
    for (const segment of segments.slice(0, -1)) {
      const child = above.at(-1)?.container?.get(segment);
      if (!child) throw new PatchFault('there is no object or array to change');
      above.push(child);
    }
    const container = above.at(-1)?.container;
    if (!container) throw new PatchFault('the value above is neither an object nor an array');
    const longer = change(container, segments.at(-1) as string);
    for (const value of above) value.grow(longer);
  }
}
